using System.CommandLine;
using Rpat.Robust.Settings;

namespace Rpat.Trainer.Cli;

/// <summary>
/// The names of our options in the two halves of the official RPAT code (RPAT_Benchmarks/common/common.py, RPAT_SOTAs/train_*.py). They
/// work, are not listed, and report their name here.
/// </summary>
internal sealed class OfficialNames
{
    private const string CleanShare = "--RA_ip_rate"; // r of x̃ = r·x + (1 − r)·x′, which is 1 − α

    private static readonly (string Name, string Key)[] _names =
    [
        (CleanShare, ConfigKeys.Of(c => c.Method.Rpat.Alpha).Path), ("--RA_start", ConfigKeys.Of(c => c.Method.Rpat.Start).Path),
        ("--lam", ConfigKeys.Of(c => c.Method.Rpat.Weight).Path), ("--beta", "method.beta"),
        ("--epsilon", ConfigKeys.Of(c => c.Attack.Eps).Path), ("--alpha", ConfigKeys.Of(c => c.Attack.Step).Path),
        ("--pgd-alpha", ConfigKeys.Of(c => c.Attack.Step).Path),
        ("--n_iters", ConfigKeys.Of(c => c.Attack.Steps).Path), ("--attack-iters", ConfigKeys.Of(c => c.Attack.Steps).Path),
        ("--lr_init", ConfigKeys.Of(c => c.Optimizer.Lr).Path), ("--lr-max", ConfigKeys.Of(c => c.Optimizer.Lr).Path),
        ("--weight_decay", ConfigKeys.Of(c => c.Optimizer.WeightDecay).Path), ("--batch_size", ConfigKeys.Of(c => c.Train.Batch).Path),
        ("--decay-rate", ConfigKeys.Of(c => c.Average.Ema).Path), ("--fname", ConfigKeys.Of(c => c.Run.Name).Path),
        ("--save-path", ConfigKeys.Of(c => c.Run.Out).Path),
    ];

    private readonly IReadOnlyList<(Option<string> Option, ConfigKey Key)> _options =
        [.. _names.Select(pair => (new Option<string>(pair.Name) { Hidden = true }, Schema.Find(pair.Key, pair.Name)))];

    private readonly Option<bool> _term = new("--RA") { Hidden = true };

    /// <summary>The key that an option of this name, without dashes, sets; null for none.</summary>
    public static ConfigKey? Find(string bare) =>
        _names.FirstOrDefault(pair => pair.Name[2..].Equals(bare, StringComparison.OrdinalIgnoreCase)
            || pair.Name[2..].Replace('_', '-').Equals(bare, StringComparison.OrdinalIgnoreCase)) is { Key: { } key }
            ? Schema.Find(key, bare) : null;

    // What is no number is refused where it is read.
    private static string FromClean(string share) =>
        Numbers.TryReal(share, out double value) ? FormattableString.Invariant($"{1 - value:0.######}") : share;

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var (option, _) in _options) command.Add(option);
        command.Add(_term);
    }

    /// <summary>Whether the perception term is requested.</summary>
    public bool WantsTerm(ParseResult parsed) => parsed.GetValue(_term);

    /// <summary>Those that were given; the name here is reported for each.</summary>
    public IEnumerable<(string Flag, ConfigKey Key, string Text)> Given(ParseResult parsed, CommandContext host,
        Func<ConfigKey, string> ours)
    {
        foreach (var (option, key) in _options.Where(pair => parsed.GetResult(pair.Option) is not null))
        {
            string text = parsed.GetValue(option)!;
            bool isShare = option.Name == CleanShare;
            host.Note($"note: {option.Name} is {ours(key)} here" + (isShare ? $", which counts from the clean image: 1 - {text}" : ""));
            yield return (option.Name, key, isShare ? string.Join(',', ConfigValue.Items(text).Select(FromClean)) : text);
        }
    }
}
