using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>--threads</c> of the commands that take no configuration, with the range of <c>run.threads</c>.</summary>
internal sealed class ThreadsOption
{
    private static readonly ConfigKey _key = ConfigKeys.Of(c => c.Run.Threads);

    private readonly Option<string?> _option = new("--threads", "-j") { Description = _key.Doc, HelpName = "N" };

    /// <summary>The option, to be added to a command.</summary>
    public Option Option => _option;

    /// <summary>The number of threads, 0 for one per core.</summary>
    /// <exception cref="ConfigException">It is none.</exception>
    public int Value(ParseResult parsed)
    {
        var config = new TrainerConfig();
        if (parsed.GetValue(_option) is { } text) _key.Set(config, new ConfigValue(_key.Path, text, IsList: false, _option.Name));
        return config.Run.Threads;
    }
}
