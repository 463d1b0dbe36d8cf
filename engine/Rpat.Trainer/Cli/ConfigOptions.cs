using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary>The options from which a configuration is resolved: files, <c>--set</c>, and one option for each common key.</summary>
internal sealed class ConfigOptions
{
    private readonly Option<string[]> _files = new("--config", "-c")
    {
        Description = "configuration file (YAML or JSON), or a run for its own; repeatable, later ones win",
        HelpName = "FILE|RUN",
    };

    private readonly Option<string[]> _sets = new("--set")
    {
        Description = "one key of the configuration, such as --set attack.eps=4/255; repeatable",
        HelpName = "KEY=VALUE",
    };

    private readonly IReadOnlyList<(Option<string> Option, ConfigKey Key)> _keys =
    [
        Key("--recipe", "NAME", ConfigKeys.Of(c => c.Recipe.Name)),
        Key("--dataset", "NAME", ConfigKeys.Of(c => c.Data.Name), "--data"),
        Key("--data-dir", "DIR", ConfigKeys.Of(c => c.Data.Dir)),
        Key("--model", "NAME", ConfigKeys.Of(c => c.Model.Name)),
        Key("--method", "NAME", ConfigKeys.Of(c => c.Method.Name)),
        Key("--rpat-weight", "NUMBER", ConfigKeys.Of(c => c.Method.Rpat.Weight)),
        Key("--rpat-start", "EPOCH", ConfigKeys.Of(c => c.Method.Rpat.Start)),
        Key("--rpat-rate", "ALPHA", ConfigKeys.Of(c => c.Method.Rpat.Alpha)),
        Key("--norm", "NAME", ConfigKeys.Of(c => c.Attack.Norm)),
        Key("--eps", "8/255", ConfigKeys.Of(c => c.Attack.Eps)),
        Key("--step-size", "2/255", ConfigKeys.Of(c => c.Attack.Step)),
        Key("--attack-steps", "N", ConfigKeys.Of(c => c.Attack.Steps)),
        Key("--epochs", "N", ConfigKeys.Of(c => c.Train.Epochs)),
        Key("--batch-size", "N", ConfigKeys.Of(c => c.Train.Batch), "-b"),
        Key("--optimizer", "NAME", ConfigKeys.Of(c => c.Optimizer.Name)),
        Key("--lr", "NUMBER", ConfigKeys.Of(c => c.Optimizer.Lr)),
        Key("--schedule", "NAME", ConfigKeys.Of(c => c.Schedule.Kind)),
        Key("--weight-decay", "NUMBER", ConfigKeys.Of(c => c.Optimizer.WeightDecay)),
        Key("--momentum", "NUMBER", ConfigKeys.Of(c => c.Optimizer.Momentum)),
        Key("--clip", "NORM", ConfigKeys.Of(c => c.Optimizer.Clip)),
        Key("--accumulate", "BATCHES", ConfigKeys.Of(c => c.Train.Accumulate)),
        Key("--ema", "NUMBER", ConfigKeys.Of(c => c.Average.Ema)),
        Key("--awp", "GAMMA", ConfigKeys.Of(c => c.Method.Awp.Gamma)),
        Key("--init", "CHECKPOINT", ConfigKeys.Of(c => c.Model.Weights)),
        Key("--max-steps", "N", ConfigKeys.Of(c => c.Train.MaxSteps)),
        Key("--max-minutes", "N", ConfigKeys.Of(c => c.Run.MaxMinutes)),
        Key("--val-split", "N|SHARE", ConfigKeys.Of(c => c.Data.Validation)),
        Key("--monitor", "ATTACK", ConfigKeys.Of(c => c.Eval.Monitor)),
        Key("--eval-every", "EPOCHS", ConfigKeys.Of(c => c.Eval.Every)),
        Key("--save-every", "EPOCHS", ConfigKeys.Of(c => c.Checkpoint.Epochs)),
        Key("--keep-last", "N", ConfigKeys.Of(c => c.Checkpoint.Keep)),
        Key("--seed", "N", ConfigKeys.Of(c => c.Train.Seed)),
        Key("--threads", "N", ConfigKeys.Of(c => c.Run.Threads), "-j"),
        Key("--nproc", "N", ConfigKeys.Of(c => c.Run.Processes)),
        Key("--device", "cpu|cuda:N|auto", ConfigKeys.Of(c => c.Device.Name)),
        Key("--precision", "fp32|tf32|bf16", ConfigKeys.Of(c => c.Device.Precision)),
        Key("--conv", "auto|direct", ConfigKeys.Of(c => c.Device.Convolution)),
        Key("--progress", "auto|live|plain|none", ConfigKeys.Of(c => c.Log.Progress)),
        Key("--grace", "SECONDS", ConfigKeys.Of(c => c.Run.Grace)),
        Key("--out", "DIR", ConfigKeys.Of(c => c.Run.Out), "-o"),
        Key("--name", "NAME", ConfigKeys.Of(c => c.Run.Name)),
    ];

    private readonly Option<bool> _rpat = new("--rpat")
    { Description = $"add the perception term to the method ({ConfigKeys.Of(c => c.Method.Name).Path})" };
    private readonly Option<bool> _noRpat = new("--no-rpat")
    { Description = $"leave the perception term out of the method ({ConfigKeys.Of(c => c.Method.Name).Path})" };
    private readonly Option<bool> _overfit = new("--overfit-batch")
    { Description = $"{ConfigKeys.Of(c => c.Train.OverfitBatch).Doc} ({ConfigKeys.Of(c => c.Train.OverfitBatch).Path})" };
    private readonly AugmentOption _augment = new();
    private readonly OfficialNames _official = new();

    /// <summary>The key that an option of this name sets, such as <c>lr</c> or <c>lambda</c>, the paper's letter; null for none.</summary>
    public static ConfigKey? Named(string name)
    {
        string bare = name.Trim('-').Replace('_', '-').ToLowerInvariant();
        return Schema.Lambda.Contains(bare) ? ConfigKeys.Of(c => c.Method.Rpat.Weight)
            : new ConfigOptions()._keys.FirstOrDefault(pair => pair.Option.Aliases.Append(pair.Option.Name).Contains("--" + bare)).Key
                ?? OfficialNames.Find(bare);
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_files);
        command.Add(_sets);
        foreach (var (option, _) in _keys) command.Add(option);
        foreach (Option option in new Option[] { _rpat, _noRpat, _overfit, _augment.Option }) command.Add(option);
        _official.AddTo(command);
    }

    /// <summary>The values that the user gave.</summary>
    /// <exception cref="UsageException">Two options contradict each other.</exception>
    public ConfigSources Sources(ParseResult parsed, CommandContext host) => new(
        [.. (parsed.GetValue(_files) ?? []).Select(file => FileOf(file, host))],
        host.Environment,
        parsed.GetValue(_sets) ?? [],
        [
            .. _official.Given(parsed, host, key => _keys.FirstOrDefault(pair => pair.Key == key).Option?.Name ?? $"--set {key.Path}="),
            .. _augment.Given(parsed),
            .. from pair in _keys
               let given = parsed.GetResult(pair.Option)
               where given is not null
               select (given.IdentifierToken?.Value ?? pair.Option.Name, pair.Key, parsed.GetValue(pair.Option)!),
            .. parsed.GetValue(_overfit) ? [(_overfit.Name, ConfigKeys.Of(c => c.Train.OverfitBatch), "true")]
            : Array.Empty<(string, ConfigKey, string)>(),
        ])
    { Rpat = Term(parsed) };

    // A run stands for its configuration.
    private static string FileOf(string file, CommandContext host) =>
        !File.Exists(file) && RunFinder.Find(file, RunsOption.Folder(host)) is { } run ? Path.Combine(run, RunFolder.ConfigName) : file;

    private bool? Term(ParseResult parsed) => (parsed.GetValue(_rpat) || _official.WantsTerm(parsed), parsed.GetValue(_noRpat)) switch
    {
        (true, true) => throw new UsageException("--rpat and --no-rpat contradict each other: give one."),
        (true, _) => true,
        (_, true) => false,
        _ => null,
    };

    private static (Option<string> Option, ConfigKey Key) Key(string name, string value, ConfigKey key, params string[] aliases) =>
        (Completed(new Option<string>(name, aliases) { Description = $"{key.Doc} ({key.Path})", HelpName = value }, key), key);

    private static Option<string> Completed(Option<string> option, ConfigKey key)
    {
        if (key.Names is { } names) option.CompletionSources.Add([.. names.All()]);
        return option;
    }
}
