namespace Rpat.Tests.Reference;

/// <summary>The loss terms of methods.md 2.6 for one row each, written straight from their formulas.</summary>
internal static class ReferenceRowLosses
{
    public static double[] Softmax(double[] z, double scale = 1)
    {
        double max = z.Max();
        double[] e = [.. z.Select(v => Math.Exp(scale * (v - max)))];
        return [.. e.Select(v => v / e.Sum())];
    }

    public static double CrossEntropy(double[] z, int y) => -Math.Log(Softmax(z)[y]);

    public static double SoftCrossEntropy(double[] z, double[] t) => -t.Zip(Softmax(z), (q, p) => q * Math.Log(p)).Sum();

    public static double Complement(double[] z, int y)
    {
        double[] p = Softmax(z);
        return -Math.Log(1.0001 - p.Where((_, j) => j != y).Max() + 1e-12);
    }

    public static double Kl(double[] t, double[] z, double scale = 1)
    {
        double[] q = Softmax(t, scale), p = Softmax(z, scale);
        return q.Zip(p, (a, b) => a * (Math.Log(a) - Math.Log(b))).Sum();
    }

    public static double Distillation(double[] t, double[] z, double temperature) =>
        -temperature * temperature * Softmax(t, 1 / temperature).Zip(Softmax(z, 1 / temperature), (q, p) => q * Math.Log(p)).Sum();

    public static double Mart(double[] t, double[] z, int y) => (1.0000001 - Softmax(t)[y]) * Kl(t, z);

    public static double SquaredProbability(double[] z, double[] t) => Softmax(z).Zip(t, (p, q) => (p - q) * (p - q)).Average();

    public static double JensenShannon(double[] a, double[] b, double temperature)
    {
        double[] p = Softmax(a, 1 / temperature), q = Softmax(b, 1 / temperature);
        double[] m = [.. p.Zip(q, (v, u) => Math.Max((v + u) / 2, 1e-8))];
        return 0.5 * (p.Zip(m, (v, c) => v * Math.Log(v / c)).Sum() + q.Zip(m, (v, c) => v * Math.Log(v / c)).Sum());
    }

    public static double OneVsRest(double[] z, int y) => z.Select((v, j) => Math.Log(1 + Math.Exp(j == y ? -v : v))).Sum();

    public static double SoftMargin(double[] z, int y) => Math.Log(z.Where((_, j) => j != y).Sum(Math.Exp)) - z[y];
}
