namespace Rpat.Training.Distributed;

/// <summary>How many processes a run has: as many as a launcher has started, else as many as <c>run.processes</c> says.</summary>
internal static class Processes
{
    /// <summary>Settles the number in a plan.</summary>
    /// <param name="plan">What is to be trained.</param>
    /// <param name="launched">This process's place where a launcher has started several; null elsewhere.</param>
    /// <exception cref="UserException">The launcher and <c>--nproc</c> contradict each other, or the batch cannot be divided.</exception>
    public static RunPlan Plan(RunPlan plan, Place? launched)
    {
        var (config, entry) = (plan.Resolved.Config, plan.Resolved.Values[ConfigKeys.Of(c => c.Run.Processes).Path]);
        int size = launched?.Size ?? config.Run.Processes;
        if (size != config.Run.Processes && entry.Origin == "--nproc")
            throw new UsageException($"--nproc {entry.Text} contradicts the {size} processes that {launched!.Launcher} has started: leave --nproc out.");
        TeamSetup.RequireDivisible(config, size);
        if (size == config.Run.Processes) return plan;
        return plan with { Resolved = plan.Resolved.With(ConfigKeys.Of(c => c.Run.Processes), FormattableString.Invariant($"{size}"), launched!.Launcher) };
    }

    /// <summary>Whether Slurm's <c>srun</c> is on the path.</summary>
    public static bool HasSrun(IReadOnlyDictionary<string, string> environment) =>
        (environment.GetValueOrDefault("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, "srun")));
}
