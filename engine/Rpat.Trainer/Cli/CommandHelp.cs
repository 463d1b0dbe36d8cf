using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary>
/// The library's help, which lists with a command the arguments of those above it: they have no place on its command line.
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
        return usual.Invoke(parseResult);
    }
}
