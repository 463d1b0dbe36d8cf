using System.CommandLine;
using Rpat.Trainer.Report;
using Rpat.Trainer.Studies;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat report RUN… [-o FILE]</c>: a page about a run, or one that compares several.</summary>
internal static class ReportCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var runs = new Argument<string[]>("RUN")
        {
            Description = "runs: their names or folders; or a study's rows, NAME.csv",
            Arity = ArgumentArity.OneOrMore
        };
        var root = RunsOption.Create(host);
        var file = new Option<string?>("--out", "-o")
        { Description = "the page or table; report.html, of one run in its folder, or stdout for a table", HelpName = "FILE" };
        var charts = new Option<string?>("--charts") { Description = "also write a study's charts there, as SVG files", HelpName = "DIR" };
        Option<bool>[] tables = [Table("latex", "LaTeX"), Table("markdown", "Markdown"), Table("csv", "CSV")];
        var eval = EvaluationOption();
        var command =
            new Command("report", "Write a self-contained HTML page about a run, or one that compares several; or a paper's table.")
            { runs, root, eval, file, charts };
        foreach (var table in tables) command.Add(table);
        command.SetAction(parsed =>
        {
            string[] names = parsed.GetRequiredValue(runs);
            if (names.Any(IsStudy)) parsed.RefuseOptions("is for runs, not for a study: leave it out", eval, root);
            if (names.Any(IsStudy)) return Study(parsed, names, Format(parsed, tables), file, charts, host);
            foreach (string name in names) RunsOption.TellDoubt(host, name, parsed.GetRequiredValue(root));
            string[] folders =
            [
                .. names.Select(name => RunFinder.Measured(name, parsed.GetRequiredValue(root)))
                    .DistinctBy(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
            ];
            string? wanted = parsed.GetValue(eval);
            if (parsed.GetValue(charts) is not null) throw new UsageException("--charts is for a study: give its rows, NAME.csv.");
            if (Format(parsed, tables) is { } format) WriteTable(host, folders, format, parsed.GetValue(file), wanted);
            else WritePage(host, folders, parsed.GetValue(file), wanted);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary><c>--eval</c>, which <c>runs list</c> has as well.</summary>
    public static Option<string?> EvaluationOption() => new("--eval")
    {
        Description = "evaluation that counts: its folder's name, 'end' for that at the end of training, or a number of images; by "
            + "default the one that most runs share, with AutoAttack if they do, of most images",
        HelpName = "NAME|end|IMAGES",
    };

    private static Option<bool> Table(string name, string title) => new($"--{name}")
    { Description = $"a table of the methods in {title}: Clean, each attack, Mean, NRR; mean ± standard deviation (n − 1) over seeds" };

    private static string? Format(ParseResult parsed, Option<bool>[] tables)
    {
        string[] formats = [.. tables.Where(parsed.GetValue).Select(table => TextTable.Formats.Canonical(table.Name[2..]))];
        return formats.Length <= 1 ? formats.FirstOrDefault()
            : throw new UsageException("--latex, --markdown and --csv exclude each other: give one.");
    }

    private static bool IsStudy(string name) => name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);

    private static int Study(ParseResult parsed, string[] names, string? format, Option<string?> file, Option<string?> charts,
        CommandContext host)
    {
        if (names is not [var rows]) throw new UsageException("a study's rows are reported alone: give one NAME.csv and nothing else.");
        if (!File.Exists(rows))
            throw new UsageException($"'{rows}' does not exist: give the rows of a study, such as docs/study/NAME.csv.");
        string name = Path.GetFileNameWithoutExtension(rows);
        var report = new StudyReport(name, new StudyFile(rows).Read());
        if (parsed.GetValue(charts) is { } folder)
        {
            AtomicFile.MakeFolder(folder);
            foreach (var (chart, drawing) in report.Charts())
                AtomicFile.WriteText(Path.Combine(folder, $"{name}-{chart}.svg"), Svg.Standalone(drawing));
        }
        string path = parsed.GetValue(file) ?? Path.ChangeExtension(rows, ".html");
        if (format is not null && parsed.GetValue(file) is null) host.Out.Write(report.Write(format));
        else AtomicFile.WriteText(path, format is null ? report.Page() : report.Write(format));
        if (format is null) host.Out.WriteLine(path);
        return ExitCode.Done;
    }

    private static void WritePage(CommandContext host, string[] folders, string? file, string? wanted)
    {
        string path = file ?? (folders.Length == 1 ? Path.Combine(folders[0], RunContents.Report) : RunContents.Report);
        ReportFile.Write(path, folders, wanted);
        host.Out.WriteLine(path);
    }

    private static void WriteTable(CommandContext host, string[] folders, string format, string? file, string? wanted)
    {
        var runs = RunLabels.Once([.. folders.Select(RunData.Load)], line => host.Warn(Printable.Line($"note: {line}")));
        var compared = SharedEvaluation.Of(runs, wanted);
        foreach (var run in compared.Runs.Where(run => run.AnyResult is null))
            host.Warn(Printable.Line($"'{run.Name}' is left out: it has no {(wanted is null ? "result" : $"evaluation '{wanted}'")}."));
        if (compared.Runs.All(run => run.AnyResult is null))
            throw new UsageException("none of these runs has a result to put into a table: measure one with 'rpat eval'.");
        foreach (string column in wanted is null ? compared.LeftOut : [])
            host.Warn(Printable.Line($"note: not in the table: {column}; --eval chooses another evaluation"));
        string table = new PaperTable(compared).Write(format);
        if (file is null) host.Out.Write(table);
        else AtomicFile.WriteText(file, table);
    }
}
