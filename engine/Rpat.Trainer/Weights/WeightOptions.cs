using System.CommandLine;
using System.Globalization;
using Rpat.Trainer.Cli;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Weights;

/// <summary>What a user says of a file of weights beyond its path.</summary>
/// <param name="Model">Name of the network, or null when the file says it.</param>
/// <param name="Key">Part of the file to take, or null to look for it.</param>
/// <param name="Mean">Mean of each channel; empty when not given.</param>
/// <param name="Std">Deviation of each channel, likewise.</param>
/// <param name="Strict">Whether every name must fit.</param>
internal sealed record WeightChoice(string? Model, string? Key, IReadOnlyList<float> Mean, IReadOnlyList<float> Std, bool Strict)
{
    /// <summary>What was said, by option; nothing where nothing was.</summary>
    public IReadOnlyDictionary<string, string> Said()
    {
        var said = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (Model is not null) said["model"] = Model;
        if (Key is not null) said["key"] = Key;
        if (Mean.Count > 0) (said["mean"], said["std"]) = (Text(Mean), Text(Std));
        if (!Strict) said["strict"] = "false";
        return said;
    }

    /// <summary>The choice that says so.</summary>
    /// <exception cref="DataException">The numbers are none.</exception>
    public static WeightChoice Of(IReadOnlyDictionary<string, string> said) => new(
        said.GetValueOrDefault("model"), said.GetValueOrDefault("key"), Numbers(said, "mean"), Numbers(said, "std"), said.GetValueOrDefault("strict") != "false");

    private static string Text(IReadOnlyList<float> values) => string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));

    private static float[] Numbers(IReadOnlyDictionary<string, string> said, string name) =>
    [
        .. said.GetValueOrDefault(name, "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text =>
            float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) ? value
                : throw new DataException($"The manifest's {name} of the network holds '{text}' where a number is wanted: run the evaluation again.")),
    ];
}

/// <summary>The options by which verbs take such a file.</summary>
internal sealed class WeightOptions
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "network that the file holds, when it does not say; see 'rpat models'",
        HelpName = "NAME",
    };

    private readonly Option<string?> _key = new("--key") { Description = "part of the file to take, such as ema; see 'rpat import FILE --list'", HelpName = "NAME" };

    private readonly Option<string?> _mean = new("--mean")
    {
        Description = "mean of each channel, for a normalisation that is not in the file, such as 0.4914,0.4822,0.4465",
        HelpName = "M,…",
    };

    private readonly Option<string?> _std = new("--std") { Description = "standard deviation of each channel, likewise", HelpName = "S,…" };

    private readonly Option<bool> _noStrict = new("--no-strict") { Description = "take what fits and leave the rest at its first values" };

    /// <summary>The file itself.</summary>
    public Argument<string> File { get; } = new("CHECKPOINT") { Description = "a run folder, .safetensors, .pt, .pth, .tar, .npz or .npy" };

    /// <summary>Adds everything to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(File);
        AddOptionsTo(command);
    }

    /// <summary>Adds all but the file.</summary>
    public void AddOptionsTo(Command command)
    {
        foreach (Option option in (Option[])[_model, _key, _mean, _std, _noStrict]) command.Add(option);
    }

    /// <summary>What the user gave.</summary>
    /// <exception cref="UsageException">Means and deviations do not pair.</exception>
    public WeightChoice Choice(ParseResult parsed)
    {
        float[] mean = Numbers("--mean", parsed.GetValue(_mean)), std = Numbers("--std", parsed.GetValue(_std));
        if (mean.Length != std.Length || std.Any(value => value <= 0))
            throw new UsageException("--mean and --std go together: give one mean and one positive deviation for each channel.");
        return new WeightChoice(parsed.GetValue(_model), parsed.GetValue(_key), mean, std, !parsed.GetValue(_noStrict));
    }

    private static float[] Numbers(string option, string? text) => [.. Entry.Items(text ?? "").Select(item =>
        Rpat.Robust.Settings.Numbers.TryReal(item, out double value) ? (float)value : throw new UsageException($"{option} has '{item}' where a number is wanted."))];
}
