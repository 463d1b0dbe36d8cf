using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary>The options with which commands take such a file.</summary>
internal sealed class WeightOptions(CommandContext host)
{
    private readonly Option<string> _runs = RunsOption.Create(host);

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
    public Argument<string> File { get; } = new("CHECKPOINT")
    { Description = "a run, its folder, or a file: .safetensors, .pt, .pth, .tar, .npz, .npy" };

    /// <summary>Adds everything to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(File);
        command.Add(_runs);
        AddOptionsTo(command);
    }

    /// <summary>Adds all but the file.</summary>
    public void AddOptionsTo(Command command)
    {
        foreach (Option option in (Option[])[_model, _key, _mean, _std, _standardize, _noStrict]) command.Add(option);
    }

    /// <summary>The folder of runs.</summary>
    public string Runs(ParseResult parsed) => parsed.GetRequiredValue(_runs);

    /// <summary>The checkpoint's path, and how to read it: if nothing is said, as in its last evaluation.</summary>
    /// <exception cref="UsageException">There is no such checkpoint, or an option is wrong.</exception>
    public (string Path, WeightChoice Choice) Read(ParseResult parsed)
    {
        string path = RunFinder.Checkpoint(parsed.GetRequiredValue(File), Runs(parsed));
        RunsOption.TellDoubt(host, parsed.GetRequiredValue(File), Runs(parsed));
        string file = CheckpointFile.At(path); // a note about a network that is not there would promise it
        if (file != path && Path.GetFileName(file) == CheckpointFile.Best)
            host.Note($"note: this is the network of the most robust epoch, '{file}'; {CheckpointFile.Name} beside it is the last epoch's");
        if (RunFinder.RunOf(path) is { } run && RunRecord.Read(run) is { Status: not RunStatus.Finished })
            host.Note($"note: run '{Path.GetFileName(Path.GetFullPath(run))}' has not finished: this is its network as it was last saved, "
                + "not a result of the training");
        return (path, Choice(path, Runs(parsed), parsed));
    }

    /// <summary>How to read a checkpoint: as the user says or, if nothing is said, as in its last evaluation.</summary>
    /// <param name="root">The folder of runs.</param>
    /// <exception cref="UsageException">Means and deviations do not match.</exception>
    public WeightChoice Choice(string path, string root, ParseResult parsed)
    {
        var choice = Choice(parsed);
        if (choice.Said().Count > 0 || EvalFolder.Remembered(path, root) is not { } known) return choice;
        string said = string.Join(", ", known.Said().Select(pair => $"{pair.Key} {pair.Value}"));
        host.Note($"note: '{path}' is read as in its last evaluation: {said}");
        return known;
    }

    /// <summary>What the user gave.</summary>
    /// <exception cref="UsageException">Means and deviations do not match.</exception>
    public WeightChoice Choice(ParseResult parsed)
    {
        float[] mean = Numbers("--mean", parsed.GetValue(_mean)), std = Numbers("--std", parsed.GetValue(_std));
        if (mean.Length == 0 != (std.Length == 0)) throw new UsageException("--mean and --std go together: give both.");
        if (std.Any(value => value <= 0)) throw new UsageException($"--std is {parsed.GetValue(_std)}: deviations are above 0.");
        bool standardizes = parsed.GetValue(_standardize);
        if (standardizes && mean.Length > 0) throw new UsageException("--standardize stands for --mean and --std: give only one of them.");
        string? model = parsed.GetValue(_model) is { } name ? CatalogNames.Models.Canonical(name) : null;
        return new WeightChoice(model, parsed.GetValue(_key), mean, std, !parsed.GetValue(_noStrict)) { Standardizes = standardizes };
    }

    private static float[] Numbers(string option, string? text) => [.. ConfigValue.Items(text ?? "").Select(item =>
        Rpat.Robust.Settings.Numbers.TryReal(item, out double value) ? (float)value
        : throw new UsageException($"{option} has '{item}' where a number is wanted."))];
}
