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
            Description = "runs: their names or folders",
            Arity = ArgumentArity.OneOrMore
        };
        var root = RunsOption.Create(host);
        var file = new Option<string?>("--out", "-o")
        { Description = "the page or table; report.html, of one run in its folder, or stdout for a table", HelpName = "FILE" };
        Option<bool>[] tables = [Table("latex", "LaTeX"), Table("markdown", "Markdown"), Table("csv", "CSV")];
        var command =
            new Command("report", "Write a self-contained HTML page about a run, or one that compares several; or a paper's table.")
            { runs, root, file };
        foreach (var table in tables) command.Add(table);
        command.SetAction(parsed =>
        {
            string[] folders = [.. parsed.GetRequiredValue(runs).Select(name => RunFinder.Named(name, parsed.GetRequiredValue(root)))];
            string[] formats = [.. tables.Where(parsed.GetValue).Select(table => TextTable.Formats.Canonical(table.Name[2..]))];
            if (formats.Length > 1) throw new UsageException("--latex, --markdown and --csv exclude each other: give one.");
            if (formats is [var format]) WriteTable(host, folders, format, parsed.GetValue(file));
            else WritePage(host, folders, parsed.GetValue(file));
            return ExitCode.Done;
        });
        return command;
    }

    private static Option<bool> Table(string name, string title) => new($"--{name}")
    { Description = $"a table of the methods in {title}: Clean, each attack, Mean, NRR; mean ± deviation over seeds" };

    private static void WritePage(CommandContext host, string[] folders, string? file)
    {
        string path = file ?? (folders.Length == 1 ? Path.Combine(folders[0], RunContents.Report) : RunContents.Report);
        ReportFile.Write(path, folders);
        host.Out.WriteLine(path);
    }

    private static void WriteTable(CommandContext host, string[] folders, string format, string? file)
    {
        RunData[] runs = [.. folders.Select(RunData.Load)];
        foreach (var run in runs.Where(run => run.Clean is null)) host.Warn(Printable.Line($"'{run.Name}' is left out: it has no result."));
        string table = new PaperTable(runs).Write(format);
        if (file is null) host.Out.Write(table);
        else AtomicFile.WriteText(file, table);
    }
}
