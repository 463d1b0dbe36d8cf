using System.CommandLine;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat report RUN… [-o FILE]</c>: a page about a run, or one that compares several.</summary>
internal static class ReportCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var runs = new Argument<string[]>("RUN")
        {
            Description = "run folders, or their names in the folder of the runs",
            Arity = ArgumentArity.OneOrMore
        };
        var root = RunsOption.Create(host);
        var file = new Option<string?>("--out", "-o")
        { Description = "the page; report.html, of one run in its folder", HelpName = "FILE" };
        var command = new Command("report", "Write a self-contained HTML page about a run, or one that compares several.")
            { runs, root, file };
        command.SetAction(parsed =>
        {
            string[] folders = [.. parsed.GetRequiredValue(runs).Select(name => RunFinder.Named(name, parsed.GetRequiredValue(root)))];
            string path = parsed.GetValue(file) ?? (folders.Length == 1 ? Path.Combine(folders[0], RunContents.Report)
                : RunContents.Report);
            ReportFile.Write(path, folders);
            host.Out.WriteLine(path);
            return ExitCode.Done;
        });
        return command;
    }
}
