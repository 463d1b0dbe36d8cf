using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary>The options with which commands take such a file.</summary>
internal sealed class WeightOptions
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "network that the file holds, when its names and shapes do not say; see 'rpat models'",
        HelpName = "NAME",
    };

    private readonly Option<string?> _key = new("--key")
    { Description = "part of the file to take, such as ema; see 'rpat import FILE --list'", HelpName = "NAME" };

    private readonly Option<string?> _mean = new("--mean")
    {
        Description = "mean of each channel, or one for all, for a normalisation that is not in the file: 0.4914,0.4822,0.4465",
        HelpName = "M,…",
    };

    private readonly Option<string?> _std = new("--std") { Description = "standard deviation of each channel, likewise", HelpName = "S,…" };

    private readonly Option<bool> _standardize = new("--standardize")
    { Description = "each image is first standardised by its own mean and deviation, inside the network" };

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
        foreach (Option option in (Option[])[_model, _key, _mean, _std, _standardize, _noStrict]) command.Add(option);
    }

    /// <summary>What the user gave.</summary>
    /// <exception cref="UsageException">Means and deviations do not match.</exception>
    public WeightChoice Choice(ParseResult parsed)
    {
        float[] mean = Numbers("--mean", parsed.GetValue(_mean)), std = Numbers("--std", parsed.GetValue(_std));
        if (mean.Length != std.Length || std.Any(value => value <= 0))
            throw new UsageException("--mean and --std go together: give one mean and one positive deviation for each channel.");
        bool standardizes = parsed.GetValue(_standardize);
        if (standardizes && mean.Length > 0) throw new UsageException("--standardize stands for --mean and --std: give only one of them.");
        return new WeightChoice(parsed.GetValue(_model), parsed.GetValue(_key), mean, std, !parsed.GetValue(_noStrict))
        { Standardizes = standardizes };
    }

    private static float[] Numbers(string option, string? text) => [.. ConfigValue.Items(text ?? "").Select(item =>
        Rpat.Robust.Settings.Numbers.TryReal(item, out double value) ? (float)value
        : throw new UsageException($"{option} has '{item}' where a number is wanted."))];
}
