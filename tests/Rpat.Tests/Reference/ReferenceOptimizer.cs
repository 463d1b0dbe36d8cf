namespace Rpat.Tests.Reference;

/// <summary>SGD with momentum and weight decay, with or without Nesterov (methods.md 0.3), on one array of weights.</summary>
internal sealed class ReferenceSgd(double momentum, double weightDecay, bool nesterov = false)
{
    /// <summary>
    /// g ← ∇ + wd·w; v ← μ·v + g; w ← w − lr·v, or w − lr·(g + μ·v) with Nesterov. Weights and velocity change in place;
    /// the velocity starts as zeros, which makes the first step v = g.
    /// </summary>
    public void Step(double[] weights, double[] gradient, double[] velocity, double rate)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            double g = gradient[i] + weightDecay * weights[i];
            velocity[i] = momentum * velocity[i] + g;
            weights[i] -= rate * (nesterov ? g + momentum * velocity[i] : velocity[i]);
        }
    }
}

/// <summary>Averaged weights (methods.md 3.1): wa ← ρ·wa + (1 − ρ)·w, the same for batch-norm statistics.</summary>
internal static class ReferenceEma
{
    public static void Update(double[] averaged, double[] weights, double decay)
    {
        for (int i = 0; i < averaged.Length; i++) averaged[i] = decay * averaged[i] + (1 - decay) * weights[i];
    }
}

/// <summary>Learning rates as functions of a time t ≥ 0 in any unit (steps or epochs), all arguments in that unit.</summary>
internal static class ReferenceSchedule
{
    /// <summary>peak divided by <paramref name="factor"/> once for every milestone that t has reached.</summary>
    public static double Piecewise(double t, double peak, double factor, params double[] milestones) =>
        peak / Math.Pow(factor, milestones.Count(milestone => t >= milestone));

    /// <summary>low + ½(peak − low)(1 + cos(π·t/total)), the low value from t = total on.</summary>
    public static double Cosine(double t, double peak, double total, double low = 0) =>
        low + (peak - low) * (1 + Math.Cos(Math.PI * Math.Min(t / total, 1))) / 2;

    /// <summary>
    /// A linear rise ahead of a schedule: peak·t/warm while t &lt; warm, then the schedule, which counts from the end of the rise.
    /// </summary>
    public static double WarmUp(double t, double warm, double peak, Func<double, double> after) =>
        t < warm ? peak * t / warm : after(t - warm);
}
