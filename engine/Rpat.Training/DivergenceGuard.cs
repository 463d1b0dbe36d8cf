namespace Rpat.Training;

/// <summary>Detects when training has become non-finite or has stopped learning.</summary>
/// <param name="classes">Number of classes K; ln K is the loss of a guess.</param>
/// <param name="own">The run's classes that are of plugins, for messages; empty if there are none.</param>
internal sealed class DivergenceGuard(GuardSection config, int classes, string own = "")
{
    private const double Decay = 0.95;
    private const int FirstSteps = 20;

    /// <summary>Checks a step.</summary>
    /// <param name="step">The step, counted from 1, for the message.</param>
    /// <param name="onlyClass">The class that was predicted for all its images although they are of several classes; otherwise
    /// null.</param>
    /// <returns>The guard's new state.</returns>
    /// <exception cref="DivergedException">Training has diverged.</exception>
    public GuardState Check(GuardState state, int step, double loss, int? onlyClass)
    {
        if (!double.IsFinite(loss)) throw NotFinite(step, loss);
        var now = Followed(state, loss, onlyClass);
        double limit = config.Explode * Math.Max(now.Lowest, Math.Log(classes));
        if (config.Explode > 0 && now.Steps > FirstSteps && now.Smoothed > limit)
            throw Diverged(step, FormattableString.Invariant(
                $"the loss has risen to {now.Smoothed:0.###} where {limit:0.###} is the limit (guard.explode)"));
        if (config.Constant > 0 && now.OnlyClassSteps >= config.Constant)
            throw Diverged(step, $"all images of the last {now.OnlyClassSteps} steps were put in class {now.OnlyClass} (guard.constant)");
        return now;
    }

    private static GuardState Followed(GuardState state, double loss, int? onlyClass)
    {
        double smoothed = state.Steps == 0 ? loss : Decay * state.Smoothed + (1 - Decay) * loss;
        int same = onlyClass is null ? 0 : onlyClass == state.OnlyClass ? state.OnlyClassSteps + 1 : 1;
        return state with
        {
            Steps = state.Steps + 1,
            Smoothed = smoothed,
            Lowest = Math.Min(state.Lowest, smoothed),
            OnlyClass = onlyClass ?? -1,
            OnlyClassSteps = same,
        };
    }

    // No learning rate has acted before the first step.
    private DivergedException NotFinite(int step, double loss)
    {
        string what = FormattableString.Invariant($"the loss is {loss}");
        if (step > 1) return Diverged(step, own.Length == 0 ? what : $"{what}, of which {own} may be the cause");
        return new($"training diverged at step 1: {what} before any weight has changed: look at the method's loss and weights, and at the "
            + $"network{(own.Length == 0 ? "" : $" ({own})")}.");
    }

    private DivergedException Diverged(int step, string what) =>
        new($"training diverged at step {step}: {what}; lower optimizer.lr, lengthen schedule.warmup, or "
            + (config.Action == GuardAction.Rollback ? "raise guard.rollbacks." : "let guard.action=rollback try it."));
}
