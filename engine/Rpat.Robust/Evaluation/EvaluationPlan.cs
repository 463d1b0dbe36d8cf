namespace Rpat.Robust.Evaluation;

/// <summary>A radius and its text, such as <c>8/255</c>.</summary>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Value">In pixel units.</param>
public readonly record struct Radius(string Text, double Value)
{
    /// <summary>Whether a text, a number or a fraction, has this value.</summary>
    internal static bool Names(string text, double value) => Math.Abs(NumberOf(text) - value) <= 1e-9 * value;

    /// <summary>Whether a text is a number or a fraction of another value.</summary>
    internal static bool Contradicts(string text, double value) => double.IsFinite(NumberOf(text)) && !Names(text, value);

    private static double NumberOf(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length == 2 ? Number(parts[0]) / Number(parts[1]) : Number(text);
    }

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : double.NaN;
}

/// <summary>What an evaluation does: the plan and its hashes contain everything that can change a result.</summary>
public sealed record EvaluationPlan
{
    /// <summary>Norm of all attacks.</summary>
    public required Norm Norm { get; init; }

    /// <summary>The radii; they must ascend.</summary>
    public required IReadOnlyList<Radius> Radii { get; init; }

    /// <summary>The columns at a radius; the same names in the same order at each.</summary>
    public required Func<double, IReadOnlyList<AttackSuite>> SuitesAt { get; init; }

    /// <summary>The columns at the first radius.</summary>
    public IReadOnlyList<AttackSuite> Suites => SuitesAt(Radii[0].Value);

    /// <summary>Seed of all random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Images under attack at a time; no result depends on it.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>
    /// Number of the first image in its data set, which keys its random numbers: a part gives the same results as the whole set.
    /// </summary>
    public int First { get; init; }

    /// <summary>A step before the network that belongs to the defence, or null.</summary>
    public InputTransform? Transform { get; init; }

    /// <summary>The network's file, from which the evaluation can be verified; or, for a network in memory, any name.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of the network's file; computed if not given, from the values if <see cref="Model"/> is no file.</summary>
    public string ModelHash { get; init; } = "";

    /// <summary>What was given about the network's file in addition to its path, such as the model's name: needed to reload it.</summary>
    public IReadOnlyDictionary<string, string> Network { get; init; } = new Dictionary<string, string>();

    /// <summary>The network's name, for tables; no result depends on it.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>A description of the images.</summary>
    public required string Data { get; init; }

    /// <summary>Refuses what cannot be evaluated, which every evaluation does before it begins.</summary>
    /// <param name="image">The network's images <c>[N, C, H, W]</c>, whatever N is.</param>
    /// <param name="classes">The network's classes.</param>
    /// <exception cref="ArgumentException">The plan evaluates nothing, or a radius or an attack's step does not fit the images.</exception>
    public void Check(Shape image, int classes)
    {
        if (Radii.Count == 0) throw new ArgumentException("An evaluation needs a radius.");
        foreach (var radius in Radii)
        {
            InputCheck.RequireRadius("", Norm, radius.Value, image);
            if (Radius.Contradicts(radius.Text, radius.Value))
                throw new ArgumentException(FormattableString.Invariant($"The radius '{radius.Text}' is not the number {radius.Value}."));
            var suites = SuitesAt(radius.Value);
            foreach (var suite in suites) AttackSuite.Checked(suite, image, classes);
            foreach (var attack in suites.SelectMany(suite => suite.Attacks)) InputCheck.RequireThreat("", attack, Norm, radius.Value);
        }
        if (Radii.Zip(Radii.Skip(1)).Any(pair => pair.First.Value >= pair.Second.Value))
            throw new ArgumentException("The radii of an evaluation must ascend: what falls at one is not attacked at the next.");
        if (Suites.Any(s => s.Attacks.Count == 0)) throw new ArgumentException("An evaluation needs attacks in every column.");
        if (Suites.Select(s => s.Name).Distinct().Count() != Suites.Count)
            throw new ArgumentException("Two columns of an evaluation have the same name: name each attack once.");
    }
}
