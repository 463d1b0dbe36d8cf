using System.CommandLine;
using Rpat.Trainer.Config;

namespace Rpat.Trainer.Cli;

/// <summary>
/// Names that the two halves of the official RPAT code have for options of ours (RPAT_Benchmarks/common/common.py, RPAT_SOTAs/train_*.py).
/// They work, are not listed, and say what they are called here.
/// </summary>
internal sealed class OfficialNames
{
    private static readonly (string Name, string Key)[] _names =
    [
        ("--RA_ip_rate", Keys.RpatAlpha.Path), ("--RA_start", Keys.RpatStart.Path), ("--lam", Keys.RpatWeight.Path), ("--beta", "method.beta"),
        ("--epsilon", Keys.Eps.Path), ("--alpha", Keys.Step.Path), ("--pgd-alpha", Keys.Step.Path),
        ("--n_iters", Keys.Steps.Path), ("--attack-iters", Keys.Steps.Path),
        ("--lr_init", Keys.Lr.Path), ("--lr-max", Keys.Lr.Path), ("--weight_decay", Keys.WeightDecay.Path), ("--batch_size", Keys.Batch.Path),
        ("--decay-rate", Keys.Ema.Path), ("--fname", Keys.RunName.Path), ("--save-path", Keys.Out.Path),
    ];

    private readonly IReadOnlyList<(Option<string> Option, Leaf Key)> _options =
        [.. _names.Select(pair => (new Option<string>(pair.Name) { Hidden = true }, Schema.Find(pair.Key, pair.Name)))];

    private readonly Option<bool> _term = new("--RA") { Hidden = true };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var (option, _) in _options) command.Add(option);
        command.Add(_term);
    }

    /// <summary>Whether the perception term is asked for.</summary>
    public bool WantsTerm(ParseResult parsed) => parsed.GetValue(_term);

    /// <summary>Those that were given; each is told its name here.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="host">Where that is said.</param>
    /// <param name="ours">The name of a key's option.</param>
    public IEnumerable<(string Flag, Leaf Key, string Text)> Given(ParseResult parsed, Host host, Func<Leaf, string> ours)
    {
        foreach (var (option, key) in _options.Where(pair => parsed.GetResult(pair.Option) is not null))
        {
            host.Note($"note: {option.Name} is {ours(key)} here");
            yield return (option.Name, key, parsed.GetValue(option)!);
        }
    }
}
