namespace Rpat.Training.Weights;

/// <summary>What a user specifies about a file of weights in addition to its path.</summary>
/// <param name="Model">Name of the network, or null if the file has it.</param>
/// <param name="Key">Part of the file to use, or null to search for it.</param>
/// <param name="Mean">Mean of each channel; empty if not given.</param>
internal sealed record WeightChoice(string? Model, string? Key, IReadOnlyList<float> Mean, IReadOnlyList<float> Std, bool Strict)
{
    /// <summary>Nothing besides the path.</summary>
    public static WeightChoice Nothing { get; } = new(null, null, [], [], Strict: true);

    /// <summary>Whether each image is standardised by its own mean and deviation.</summary>
    public bool Standardizes { get; init; }

    /// <summary>Whether the user says how the network's inputs are normalised.</summary>
    public bool SaysInputs => Standardizes || Mean.Count > 0;

    /// <summary>The given values, by option; empty if none were given.</summary>
    public IReadOnlyDictionary<string, string> Said()
    {
        var said = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (Model is not null) said["model"] = Model;
        if (Key is not null) said["key"] = Key;
        if (Mean.Count > 0) (said["mean"], said["std"]) = (Text(Mean), Text(Std));
        if (Standardizes) said["standardize"] = "true";
        if (!Strict) said["strict"] = "false";
        return said;
    }

    /// <summary>The same, with another's value for what is not said here.</summary>
    public WeightChoice Over(WeightChoice other)
    {
        WeightChoice inputs = SaysInputs ? this : other;
        return new(Model ?? other.Model, Key ?? other.Key, inputs.Mean, inputs.Std, Strict && other.Strict)
        { Standardizes = inputs.Standardizes };
    }

    /// <summary>The choice with these values.</summary>
    /// <exception cref="DataException">They are not numbers.</exception>
    public static WeightChoice Of(IReadOnlyDictionary<string, string> said) => new(
        said.GetValueOrDefault("model"), said.GetValueOrDefault("key"), Numbers(said, "mean"), Numbers(said, "std"),
        said.GetValueOrDefault("strict") != "false")
    { Standardizes = said.GetValueOrDefault("standardize") == "true" };

    private static string Text(IReadOnlyList<float> values) =>
        string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));

    private static float[] Numbers(IReadOnlyDictionary<string, string> said, string name) =>
    [
        .. said.GetValueOrDefault(name, "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text =>
            float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) ? value
                : throw new DataException(
                $"the manifest's {name} of the network holds '{text}' where a number is wanted: run the evaluation again.")),
    ];
}
