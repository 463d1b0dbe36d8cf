namespace Rpat.Trainer.Reproduce;

/// <summary>
/// Trains and measures a list of recipes one after another, with the same commands that a user would type. Finished work is recorded in
/// files and not repeated; a run that fails is reported and the others continue.
/// </summary>
internal sealed class Reproduction(ReproducePlan plan, CommandContext host, Func<string[], CommandContext, int> program)
{
    private readonly ReproduceSteps _steps = new(host, program);

    /// <summary>Runs everything that is not done yet, rewriting the table after each run.</summary>
    /// <returns>0, the exit code of a run that was stopped, or that of the first one that failed.</returns>
    public int Run()
    {
        var (jobs, first) = (plan.Jobs, ExitCode.Done);
        SeveralTrainings.Require(host, jobs[0].Config.Run.Transport, "train each recipe by itself");
        for (int i = 0; i < jobs.Count; i++)
        {
            int code = Run(jobs[i], FormattableString.Invariant($"[{i + 1}/{jobs.Count}] {jobs[i].Method} seed {jobs[i].Seed}"));
            ReproduceTable.Write(plan.Out, Rows());
            if (ExitCode.IsStop(code)) return code;
            if (first == ExitCode.Done) first = code;
        }
        return first;
    }

    /// <summary>The results so far, one row per method.</summary>
    public IReadOnlyList<ReproduceRow> Rows() =>
    [
        .. from recipe in plan.Recipes
           let jobs = plan.Jobs.Where(job => job.Recipe == recipe.Recipe).ToList()
           select new ReproduceRow(
               recipe.Method, recipe.Recipe, [.. jobs.Select(job => job.Score).OfType<ReproduceScore>()],
               [.. jobs.Select(_steps.FailureOf).OfType<string>()]),
    ];

    private int Run(ReproduceJob job, string title)
    {
        if (job.Score is not null)
        {
            host.Note($"{title}: finished earlier");
            return ExitCode.Done;
        }
        int code = _steps.Train(job, title);
        return code == ExitCode.Done && job.Run is { } run ? _steps.Step(job, title, "measuring", job.Measurement.Command(run),
            job.Measurement.Result) : code;
    }
}
