using System.CommandLine;
using Rpat.Trainer.Studies;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat reproduce --study NAME</c>: a planned comparison, row by row, whose results are kept as data.</summary>
internal sealed class StudyOptions
{
    private readonly Option<string?> _study = new("--study")
    { Description = "do the missing rows of a study inside the program, or of a YAML file", HelpName = "NAME|FILE.yaml" };
    private readonly Option<string?> _table = new("--rows")
    { Description = "the study's rows as data; docs/study/NAME.csv by default", HelpName = "FILE.csv" };
    private readonly Option<int?> _row = new("--row") { Description = "of a study do this row only, from 1", HelpName = "N" };
    private readonly Option<bool> _check = new("--check")
    { Description = "do the finished --row again and compare every bit; exit code 8 if one differs" };
    private readonly Option<bool> _list = new("--list") { Description = "print a study's rows and which are done, and stop" };

    /// <summary>Adds them to the command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _study, _table, _row, _check, _list }) command.Add(option);
    }

    /// <summary>Whether a study is asked for.</summary>
    /// <param name="others">The options that a study has no use for.</param>
    /// <exception cref="UsageException">An option of a study is given without one, or another one with it.</exception>
    public bool AreGiven(ParseResult parsed, IEnumerable<Option> others)
    {
        bool isStudy = parsed.GetValue(_study) is not null;
        if (isStudy) parsed.RefuseOptions("has no meaning for a study, which says itself what is trained: leave it out", others);
        else parsed.RefuseOptions("is for a study: give --study NAME as well", _table, _row, _check, _list);
        return isStudy;
    }

    /// <summary>Does, lists or checks rows.</summary>
    /// <param name="folder">The folder of its runs, or null for the usual one.</param>
    /// <returns>The exit code.</returns>
    public int Run(ParseResult parsed, string? folder, StudyPlace place, CommandContext host, Func<string[], CommandContext, int> program)
    {
        var study = Study.Find(parsed.GetRequiredValue(_study)!);
        var rows = study.Rows;
        place = place with { Out = folder ?? Path.Combine("reproduce", study.Name) };
        foreach (var row in rows) _ = row.Job(place).Config; // a wrong value of the last row is found before the first is trained
        string table = parsed.GetValue(_table) ?? Path.Combine("docs", "study", study.Name + ".csv");
        var run = new StudyRun(place, new StudyFile(table), host, program);
        if (parsed.GetValue(_list)) return List(rows, run, host);
        int? one = parsed.GetValue(_row);
        if (one < 1 || one > rows.Count)
            throw new UsageException($"--row is {one}, and the study has {rows.Count} rows: give 1 to {rows.Count}.");
        if (parsed.GetValue(_check))
            return run.Check(one is { } number ? rows[number - 1] : throw new UsageException("--check does one row again: give --row N."));
        int code = run.Run(one is { } only ? [rows[only - 1]] : rows);
        int done = rows.Count(row => run.Done(row) is not null);
        host.Out.WriteLine($"{done} of {rows.Count} rows are in {table}; 'rpat report {table}' draws them");
        return code;
    }

    private static int List(IReadOnlyList<StudyRow> rows, StudyRun run, CommandContext host)
    {
        host.Out.Write(new TextTable(["row", "variant", "against", "recipe", "seed", "status"],
        [
            .. rows.Select(row => (string[])[$"{row.Number}", row.Variant.Name, row.Variant.Against, row.Variant.Recipe, $"{row.Seed}",
                run.Done(row) is null ? "-" : "done"]),
        ]).Write("text"));
        return ExitCode.Done;
    }
}
