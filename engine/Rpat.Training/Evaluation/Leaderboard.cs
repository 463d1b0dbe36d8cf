namespace Rpat.Training.Evaluation;

/// <summary>The requirements of RobustBench's file; an evaluation that cannot fill it is refused before hours are spent on it.</summary>
internal static class Leaderboard
{
    private const string Option = "--robustbench-json";

    /// <summary>Refuses an evaluation with several possible numbers or none.</summary>
    /// <exception cref="UsageException">It has no AutoAttack, or several radii.</exception>
    public static void Require(EvalOptions options)
    {
        if (!options.Attacks.Any(name => name is "aa" or "aa-standard"))
            throw new UsageException($"{Option} needs the standard AutoAttack: add aa to --attacks, on a model of at least ten classes.");
        if (options.Radii.Count > 1)
            throw new UsageException(
                $"{Option} holds the result at one radius, and --eps names {options.Radii.Count}: give the leaderboard's, such as 8/255.");
    }

    /// <summary>Refuses a network on which AutoAttack is not the standard one.</summary>
    /// <exception cref="UsageException">It has too few classes.</exception>
    public static void Require(int classes)
    {
        if (classes < AutoAttack.StandardClasses)
            throw new UsageException(
                $"{Option} needs the standard AutoAttack: this model has {classes} classes, where at least ten are needed.");
    }

    /// <summary>The file's contents.</summary>
    public static RobustBenchInfo InfoOf(EvaluationReport report, EvaluationPlan plan, EvalSubject subject) =>
        RobustBenchInfo.Of(report, plan, Path.GetFileNameWithoutExtension(subject.Network.Path), NameOf(plan.Data),
        subject.Network.Spec.Name)
            ?? throw new UsageException($"{Option} needs the standard AutoAttack: add aa to --attacks.");

    // The user's own file has no name that a leaderboard has.
    private static string NameOf(string data) => DataSets.All.Any(set => set.Name == data) ? data.Split(':')[0] : "";
}
