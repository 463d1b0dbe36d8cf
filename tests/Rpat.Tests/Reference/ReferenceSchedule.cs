namespace Rpat.Tests.Reference;

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
