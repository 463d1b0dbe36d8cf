using System.CommandLine;
using System.CommandLine.Invocation;

namespace Rpat.Trainer.Cli;

/// <summary>The program: parses the command line, runs a command, and turns any exception into one sentence and an exit code.</summary>
internal static class App
{
    private const int BrokenPipe = 32;

    private static int Main(string[] arguments) => Run(arguments, CommandContext.OfProcess());

    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments, CommandContext host)
    {
        ShownText output = new(host.Out), messages = new(host.Error, columns: host.ErrorIsTerminal ? () => host.Columns : null);
        int code = Execute(arguments, host with { Out = output, Error = messages });
        if (code != ExitCode.Done || output.Failure is not { } failure) return code;
        if (failure.HResult == BrokenPipe) return ExitCode.NobodyReads;
        messages.WriteLine(
            $"rpat: the result cannot be written to stdout ({failure.Message.TrimEnd('.')}): make room, or send it elsewhere.");
        return ExitCode.Usage;
    }

    /// <summary>Runs a command line within another command.</summary>
    public static int RunInner(string[] arguments, CommandContext host) =>
        Run(arguments, host with { Loudness = host.Loudness.OfInner() });

    private static int Execute(string[] arguments, CommandContext host)
    {
        try
        {
            if (arguments is [] or ["help", ..]) arguments = Help([.. arguments.Skip(1)], host);
            var parsed = Parse(arguments, host);
            if (parsed.Errors.Count == 0) host.Loudness.Set(parsed);
            if (PluginOption.Load(parsed, host))
            {
                host = host with { Plugins = PluginOption.Files(parsed) };
                parsed = Parse(arguments, host);
            }
            if (parsed.Action is ParseErrorAction) throw UsageErrors.Of(parsed);
            // --help and --version run instead of the command, whatever is wrong with its options: their values may be missing.
            if (parsed.Action == parsed.CommandResult.Command.Action)
            {
                host.Loudness.Set(parsed);
                Determinism.Check(parsed, host);
            }
            return parsed.Invoke(Invocation(host));
        }
        catch (Exception error)
        {
            return ErrorOutput.Print(error, host.Error, details: host.Loudness.Level == LogLevel.Debug, plugins: host.Plugins);
        }
    }

    // --help is shown whatever else is on the line, so that a name that is no command would go unnoticed.
    private static string[] Help(string[] names, CommandContext host)
    {
        Command command = Root(host);
        foreach (string name in names.TakeWhile(name => !name.StartsWith('-')))
            command = command.Subcommands.FirstOrDefault(sub => sub.Name == name || sub.Aliases.Contains(name)) ?? throw new UsageException(
                $"'{name}' is no command: {DidYouMean.Hint(name, [.. command.Subcommands.Select(sub => sub.Name)], "commands")}");
        return [.. names, "--help"];
    }

    /// <summary>Parses one command line without running it.</summary>
    internal static ParseResult Parse(string[] arguments, CommandContext host) =>
        Root(host).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = ResponseFile.TryRead });

    private static RootCommand Root(CommandContext host)
    {
        var root = new RootCommand("Trains adversarially robust image classifiers (RPAT) and measures them.")
        {
            TrainCommand.Create(host),
            ConfigCommand.Create(host),
            RecipesCommand.Create(host),
            SweepCommand.Create(host, RunInner),
            ReproduceCommand.Create(host, RunInner),
            PerceptionCommand.Create(host),
            EvalCommand.Create(host),
            AttackCommand.Create(host),
            AttacksCommand.Create(host),
            DataCommand.Create(host),
            ReportCommand.Create(host),
            RunsCommand.Create(host),
            DemoCommand.Create(host),
            BenchCommand.Create(host),
            MethodsCommand.Create(host),
            ModelsCommand.Create(host),
            ImportCommand.Create(host),
            ExportCommand.Create(host),
            DoctorCommand.Create(host),
            DevicesCommand.Create(host),
            DocsCommand.Create(host),
            CompletionCommand.Create(host),
        };
        host.Loudness.AddTo(root);
        Determinism.AddTo(root);
        PluginOption.AddTo(root);
        EmptyValues.Refuse(root);
        CommandHelp.Replace(root);
        return root;
    }

    // The program handles signals and exceptions itself: the library would end a slow save after two seconds and print stack traces.
    private static InvocationConfiguration Invocation(CommandContext host) => new()
    {
        Output = host.Out,
        Error = host.Error,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    };
}
