using Rpat.Robust.Methods;

namespace Rpat.Training;

/// <summary>Values that are possible, and a slip of the pen more often than meant: one sentence for each.</summary>
internal static class SuspectValues
{
    private const double LargeLinf = 0.2, Far = 8;

    /// <summary>Those of a training.</summary>
    /// <param name="images">Training images.</param>
    public static IEnumerable<string> Of(TrainerConfig config, int images) =>
    [
        .. Eps(Path(c => c.Attack.Eps), config.Attack.Norm, config.Attack.Eps),
        .. Step(Path(c => c.Attack.Step), config.Attack.Step, config.Attack.Eps),
        .. Late(config.Schedule, config.Train.Epochs),
        .. Replaced(config.Method),
        .. Above(Path(c => c.Train.Batch), config.Train.Batch, images, "training images", "each epoch is one step"),
    ];

    private static IEnumerable<string> Replaced(MethodSection method)
    {
        if (method.Awp.Gamma > 0 && method.Info.Make(method.Settings, PgdOptions.Linf).AllModifiers.OfType<Robust.Modifiers.Awp>().Any())
            yield return $"warning: {Path(c => c.Method.Awp.Gamma)} replaces {method.Name}'s own weight perturbation with all its settings: "
                + $"set it to 0, and those of the method ('rpat methods show {method.Info.Name}').";
    }

    // Epochs are shortened more often than the milestones that were set for them.
    private static IEnumerable<string> Late(ScheduleSection schedule, int epochs)
    {
        if (schedule.Kind == ScheduleKind.Piecewise && schedule.Milestones.Count > 0 && schedule.Milestones.All(epoch => epoch >= epochs))
            yield return FormattableString.Invariant(
                $"warning: {Path(c => c.Schedule.Milestones)} is {string.Join(", ", schedule.Milestones)}, and the run has {Format.Count(epochs, "epoch")}: its rate never drops; set earlier ones.");
    }

    /// <summary>A sentence for each setting of the perception term that the user gave to a method without it.</summary>
    public static IEnumerable<string> Unread(ResolvedConfig resolved)
    {
        string method = resolved.Config.Method.Name;
        foreach (var key in ConfigKeys.Below("method.rpat.").Where(key => !Schema.Applies(key.Path, method)))
            if (resolved.Values[key.Path] is var given && given.Text != key.Default && IsTyped(given.Origin))
                yield return $"warning: {key.Path} is {given.Text} ({given.Origin}), and {method} has no perception term: it is not read; "
                    + $"method {method}{MethodCatalog.RpatSuffix} has one.";
    }

    // As opposed to what recipes, runs and files of several methods hold.
    private static bool IsTyped(string origin) => origin.StartsWith("--", StringComparison.Ordinal)
        || origin.StartsWith("environment ", StringComparison.Ordinal) || origin == TrainingJob.Origin;

    /// <summary>A sentence if a method never attacks, although its row says that it does.</summary>
    public static IEnumerable<string> Attack(Objective method, TrainerConfig config)
    {
        if (config.Method.Info.Row.Attack is not ("none" or "-" or "") and var said && method.Margins is null
            && Enumerable.Range(1, config.Train.Epochs).All(epoch => method.InEpoch(epoch) is { Attack: null }))
            yield return $"warning: method {config.Method.Name} is declared with the attack '{said}', and its Attack is null: it trains on "
                + "clean images.";
    }

    /// <summary>A sentence if a radius is far from the usual one of its norm.</summary>
    /// <param name="name">Of the option or key.</param>
    public static IEnumerable<string> Eps(string name, Norm norm, double eps)
    {
        if (norm == Norm.Linf && eps > LargeLinf)
            yield return $"warning: {name} is {Format.Number(eps)}, a large part of a pixel's range from 0 to 1: "
                + $"{UsualThreat.Eps(norm)} is usual.";
        else if ((eps > 0 && eps < UsualThreat.Radius(norm) / Far) || (norm != Norm.Linf && eps > UsualThreat.Radius(norm) * Far))
            yield return $"warning: {name} is {Format.Pixels(eps)}, far from what is usual in {norm.Name}, which is "
                + $"{UsualThreat.Eps(norm)}.";
    }

    /// <summary>A sentence if an attack's step is longer than its radius.</summary>
    /// <param name="step">Null for a share of eps.</param>
    public static IEnumerable<string> Step(string name, double? step, double eps)
    {
        if (step > eps) yield return $"warning: {name} is {Format.Pixels(step.Value)}, more than eps, which is {Format.Pixels(eps)}: every "
            + "step leaves the ball; a quarter of eps is usual.";
    }

    /// <summary>A sentence if there are fewer images than asked for.</summary>
    /// <param name="so">What happens then.</param>
    public static IEnumerable<string> Above(string name, int asked, int images, string what, string so)
    {
        if (asked > images)
            yield return FormattableString.Invariant($"warning: {name} is {asked}, above the number of {what}, {images}: {so}.");
    }

    private static string Path(System.Linq.Expressions.Expression<Func<TrainerConfig, object?>> property) => ConfigKeys.Of(property).Path;
}
