using Rpat.Trainer.Cli;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Reproduce;

/// <summary>
/// Trains and measures a list of recipes one after another, with the same commands that a user would type. Finished work is recorded in
/// files and not repeated; a run that fails is reported and the others continue.
/// </summary>
internal sealed class Reproduction(ReproducePlan plan, CommandContext host, Func<string[], CommandContext, int> program)
{
    private readonly Dictionary<string, string> _failures = [];

    /// <summary>Runs everything that is not done yet, rewriting the table after each run.</summary>
    /// <returns>0, or the exit code of a run that was stopped.</returns>
    public int Run()
    {
        var jobs = plan.Jobs;
        for (int i = 0; i < jobs.Count; i++)
        {
            int code = Run(jobs[i], FormattableString.Invariant($"[{i + 1}/{jobs.Count}] {jobs[i].Method} seed {jobs[i].Seed}"));
            ReproduceTable.Write(plan.Out, Rows());
            if (code is ExitCode.Interrupted or ExitCode.Terminated or ExitCode.HungUp) return code;
        }
        return ExitCode.Done;
    }

    /// <summary>The results so far, one row per method.</summary>
    public IReadOnlyList<ReproduceRow> Rows() =>
    [
        .. from recipe in plan.Recipes
           let jobs = plan.Jobs.Where(job => job.Recipe == recipe.Recipe).ToList()
           select new ReproduceRow(
               recipe.Method, recipe.Recipe, [.. jobs.Select(job => job.Score).OfType<ReproduceScore>()],
               [.. jobs.Select(job => _failures.GetValueOrDefault(job.Name)).OfType<string>()]),
    ];

    private int Run(ReproduceJob job, string title)
    {
        if (job.Score is not null)
        {
            host.Note($"{title}: finished earlier");
            return ExitCode.Done;
        }
        int code = Train(job, title);
        return code == ExitCode.Done && job.Run is { } run ? Step(job, title, "measuring", job.EvalCommand(run)) : code;
    }

    private int Train(ReproduceJob job, string title)
    {
        if (job.Run is not null) return ExitCode.Done;
        foreach (var (key, need) in job.Needs)
        {
            int code = Train(need, $"{title}: {key} of {need.Recipe}");
            if (code == ExitCode.Done) continue;
            _failures[job.Name] = $"{need.Recipe}, which it needs: {_failures.GetValueOrDefault(need.Name, "not trained")}";
            return code;
        }
        return Step(job, title, "training", job.TrainCommand());
    }

    private int Step(ReproduceJob job, string title, string what, string[] command)
    {
        AtomicFile.MakeFolder(job.Folder);
        long start = Stopwatch.GetTimestamp();
        host.Note($"{title}: {what}: rpat {string.Join(' ', command)}");
        using var lines = new PrefixedLines(host.Error, title);
        using var log = new StreamWriter(AtomicFile.OpenToGrow(Path.Combine(job.Folder, "commands.log"), FileShare.Read))
        { AutoFlush = true };
        log.WriteLine($"$ rpat {string.Join(' ', command)}");
        int code = program(command, host with { Out = log, Error = lines, ErrorIsTerminal = false });
        string time = Format.Duration(Stopwatch.GetElapsedTime(start));
        host.Note($"{title}: {what} {(code == ExitCode.Done ? "done" : "failed")} after {time}");
        if (code != ExitCode.Done) _failures[job.Name] = lines.Sentence ?? FormattableString.Invariant($"exit code {code}");
        return code;
    }
}
