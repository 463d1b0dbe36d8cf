namespace Rpat.Tests.Robust.Attacks;

/// <summary>Exact optima on the linear fixture (attacks.md 4.1), by the library's closed forms.</summary>
internal static class Exact
{
    public static double[] MinimumNorms(Fixture f, Norm norm) =>
        [.. Enumerable.Range(0, f.Labels.Length).Select(i => f.Linear().MinimumNorm(ImageOf(f, i), f.Labels[i], norm))];

    public static double[] WorstMargins(Fixture f, Norm norm, double eps) =>
        [.. Enumerable.Range(0, f.Labels.Length).Select(i => f.Linear().WorstMargin(ImageOf(f, i), f.Labels[i], norm, eps))];

    public static float[] ImageOf(Fixture f, int i)
    {
        int size = f.Net.InputShape.SampleCount;
        return f.Images[(i * size)..((i + 1) * size)];
    }
}
