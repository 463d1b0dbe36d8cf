using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary>
/// The library's help, which lists with a command the arguments of those above it, though they have no place on its command line, and does
/// not say that a number is 0 by default.
/// </summary>
internal sealed class CommandHelp(SynchronousCommandLineAction usual) : SynchronousCommandLineAction
{
    /// <summary>Takes the place of the library's.</summary>
    public static void Replace(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        if (option.Action is SynchronousCommandLineAction usual) option.Action = new CommandHelp(usual);
    }

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        for (var above = parseResult.CommandResult.Parent as CommandResult; above is not null; above = above.Parent as CommandResult)
            foreach (var argument in above.Command.Arguments) argument.Hidden = true;
        foreach (var option in parseResult.CommandResult.Command.Options)
        {
            if (option is Option<int> { DefaultValueFactory: null } count) count.DefaultValueFactory = _ => 0;
            if (option is Option<long> { DefaultValueFactory: null } seed) seed.DefaultValueFactory = _ => 0;
        }
        return usual.Invoke(parseResult);
    }
}
