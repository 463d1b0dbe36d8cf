using System.CommandLine;
using Rpat.Trainer.Config;
using Rpat.Trainer.Data;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Recipes;

namespace Rpat.Trainer.Cli;

/// <summary>The options from which a configuration is resolved: files, <c>--set</c>, and one option for each common key.</summary>
internal sealed class ConfigOptions
{
    private readonly Option<string[]> _files = new("--config", "-c")
    {
        Description = "configuration file (YAML or JSON); repeatable, later ones win",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _sets = new("--set")
    {
        Description = "one key of the configuration, such as --set attack.eps=4/255; repeatable",
        HelpName = "KEY=VALUE",
    };

    private readonly IReadOnlyList<(Option<string> Option, Leaf Key)> _keys =
    [
        Key("--recipe", "NAME", Keys.RecipeName),
        Key("--dataset", "NAME", Keys.DataName, "--data"),
        Key("--data-dir", "DIR", Keys.DataDir),
        Key("--model", "NAME", Keys.ModelName),
        Key("--method", "NAME", Keys.MethodName),
        Key("--rpat-weight", "NUMBER", Keys.RpatWeight),
        Key("--rpat-start", "EPOCH", Keys.RpatStart),
        Key("--rpat-rate", "ALPHA", Keys.RpatAlpha),
        Key("--norm", "NAME", Keys.Norm),
        Key("--eps", "8/255", Keys.Eps),
        Key("--step-size", "2/255", Keys.Step),
        Key("--attack-steps", "N", Keys.Steps),
        Key("--epochs", "N", Keys.Epochs),
        Key("--batch-size", "N", Keys.Batch, "-b"),
        Key("--lr", "NUMBER", Keys.Lr),
        Key("--schedule", "NAME", Keys.Schedule),
        Key("--weight-decay", "NUMBER", Keys.WeightDecay),
        Key("--momentum", "NUMBER", Keys.Momentum),
        Key("--clip", "NORM", Keys.Clip),
        Key("--accumulate", "BATCHES", Keys.Accumulate),
        Key("--ema", "NUMBER", Keys.Ema),
        Key("--awp", "GAMMA", Keys.AwpGamma),
        Key("--init", "CHECKPOINT", Keys.ModelWeights),
        Key("--max-steps", "N", Keys.MaxSteps),
        Key("--max-minutes", "N", Keys.MaxMinutes),
        Key("--val-split", "N|SHARE", Keys.Validation),
        Key("--monitor", "ATTACK", Keys.EvalMonitor),
        Key("--eval-every", "EPOCHS", Keys.EvalEvery),
        Key("--save-every", "EPOCHS", Keys.CheckpointEpochs),
        Key("--keep-last", "N", Keys.CheckpointKeep),
        Key("--seed", "N", Keys.Seed),
        Key("--threads", "N", Keys.Threads, "-j"),
        Key("--nproc", "N", Keys.Processes),
        Key("--device", "cpu|cuda:N|auto", Keys.DeviceName),
        Key("--precision", "fp32|tf32|bf16", Keys.Precision),
        Key("--conv", "auto|direct", Keys.Convolution),
        Key("--progress", "auto|live|plain|none", Keys.Progress),
        Key("--grace", "SECONDS", Keys.Grace),
        Key("--out", "DIR", Keys.Out, "-o"),
        Key("--name", "NAME", Keys.RunName),
    ];

    private readonly Option<bool> _rpat = new("--rpat") { Description = $"add the perception term to the method ({Keys.MethodName.Path})" };
    private readonly Option<bool> _noRpat = new("--no-rpat") { Description = $"leave the perception term out of the method ({Keys.MethodName.Path})" };
    private readonly Option<bool> _overfit = new("--overfit-batch") { Description = $"{Keys.OverfitBatch.Doc} ({Keys.OverfitBatch.Path})" };
    private readonly AugmentOption _augment = new();
    private readonly OfficialNames _official = new();

    // Names that are looked up elsewhere than in the key's kind.
    private static Dictionary<Leaf, Func<IEnumerable<string>>> Listed => new()
    {
        [Keys.RecipeName] = () => RecipeLibrary.Names,
        [Keys.DataName] = () => DataSets.All.Select(set => set.Name),
        [Keys.ModelName] = () => Catalog.Models.Select(model => model.Name),
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_files);
        command.Add(_sets);
        foreach (var (option, _) in _keys) command.Add(option);
        foreach (Option option in new Option[] { _rpat, _noRpat, _overfit, _augment.Option }) command.Add(option);
        _official.AddTo(command);
    }

    /// <summary>What the user gave of them.</summary>
    /// <exception cref="UsageException">Two options contradict each other.</exception>
    public ConfigSources Sources(ParseResult parsed, Host host) => new(
        parsed.GetValue(_files) ?? [],
        host.Environment,
        parsed.GetValue(_sets) ?? [],
        [
            .. _official.Given(parsed, host, key => _keys.FirstOrDefault(pair => pair.Key == key).Option?.Name ?? $"--set {key.Path}="),
            .. _augment.Given(parsed),
            .. from pair in _keys
               where parsed.GetResult(pair.Option) is not null
               select (pair.Option.Name, pair.Key, parsed.GetValue(pair.Option)!),
            .. parsed.GetValue(_overfit) ? [(_overfit.Name, Keys.OverfitBatch, "true")] : Array.Empty<(string, Leaf, string)>(),
        ])
    { Rpat = Term(parsed) };

    private bool? Term(ParseResult parsed) => (parsed.GetValue(_rpat) || _official.WantsTerm(parsed), parsed.GetValue(_noRpat)) switch
    {
        (true, true) => throw new UsageException("--rpat and --no-rpat contradict each other: give one."),
        (true, _) => true,
        (_, true) => false,
        _ => null,
    };

    private static (Option<string> Option, Leaf Key) Key(string name, string value, Leaf key, params string[] aliases) =>
        (Completed(new Option<string>(name, aliases) { Description = $"{key.Doc} ({key.Path})", HelpName = value }, key), key);

    private static Option<string> Completed(Option<string> option, Leaf key)
    {
        string[] names = [.. Listed.TryGetValue(key, out var list) ? list() : key.Names];
        if (names.Length > 0) option.CompletionSources.Add(names);
        return option;
    }
}
