namespace Rpat.Tests.Robust.Attacks;

/// <summary>The projections of attacks.md 2.5: golden table, feasibility and optimality (P9).</summary>
public class HyperplaneProjectionTests
{
    private static readonly float[] _z = [0.2f, 0.9f, 0.5f, 0, 1];
    private static readonly float[] _w = [1, -2, 0.5f, 3, -1];

    public static TheoryData<double, double[], double[]> Golden => new()
    {
        { -2.5, [-0.042857, 0.042857, -0.042857, 0, 0], [-0.028571, 0.057143, -0.014286, 0, 0] },
        { -1.0, [0.18, -0.18, 0.18, 0.18, -0.18], [0.088525, -0.177049, 0.044262, 0.265574, -0.088525] },
        { 0, [0.313333, -0.313333, 0.313333, 0.313333, -0.313333], [0.154098, -0.308197, 0.077049, 0.462295, -0.154098] },
        { 1.5, [0.514286, -0.514286, 0.5, 0.514286, -0.514286], [0.252459, -0.504918, 0.126230, 0.757377, -0.252459] },
        { 5, [0.8, -0.9, 0.5, 1, -1], [0.8, -0.9, 0.5, 1, -1] },
        { -6, [-0.2, 0.1, -0.5, 0, 0], [-0.2, 0.1, -0.5, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void The_table_of_the_specification(double b, double[] linf, double[] l2)
    {
        AssertNear(linf, HyperplaneProjection.Linf(_z, _w, b), 1e-6);
        AssertNear(l2, HyperplaneProjection.L2(_z, _w, b), 1e-6);
    }

    [Fact]
    public void A_hyperplane_without_normal_moves_nothing()
    {
        Assert.Equal(new double[5], HyperplaneProjection.Linf(_z, new float[5], 1));
        Assert.Equal(new double[5], HyperplaneProjection.L2(_z, new float[5], 1));
        Assert.Equal(new double[5], HyperplaneProjection.L1(_z, new float[5], 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_cases_reach_the_hyperplane_inside_the_box_and_no_other_point_is_nearer(int seed)
    {
        Random random = new(seed);
        for (int @case = 0; @case < 200; @case++)
        {
            int n = random.Next(1, 40);
            float[] z = Draw(random, n, 0, 1), w = Draw(random, n, -2, 2);
            for (int i = 0; i < n; i++)
                if (random.Next(6) == 0) (z[i], w[i]) = (random.Next(2), random.Next(2) * w[i]);
            double b = random.NextDouble() * 8 - 4;
            Check(random, z, w, b, HyperplaneProjection.Linf(z, w, b), v => v.Max(Math.Abs));
            Check(random, z, w, b, HyperplaneProjection.L2(z, w, b), v => Math.Sqrt(v.Sum(x => x * x)));
            Check(random, z, w, b, HyperplaneProjection.L1(z, w, b), v => v.Sum(Math.Abs));
        }
    }

    [Fact]
    public void None_of_a_hundred_thousand_feasible_points_is_nearer()
    {
        Random random = new(4);
        float[] z = Draw(random, 12, 0, 1), w = Draw(random, 12, -2, 2);
        double b = 0.3 * w.Sum(v => Math.Max(v, 0.0)) + 0.7 * w.Sum(v => Math.Min(v, 0.0));
        Assert.InRange(Check(random, z, w, b, HyperplaneProjection.Linf(z, w, b), v => v.Max(Math.Abs), 110_000), 100_000, 110_000);
        Assert.InRange(Check(random, z, w, b, HyperplaneProjection.L2(z, w, b), v => Math.Sqrt(v.Sum(x => x * x)), 110_000), 100_000,
            110_000);
    }

    /// <summary>Returns how many other feasible points were compared.</summary>
    private static int Check(Random random, float[] z, float[] w, double b, double[] delta, Func<double[], double> norm, int trials = 20)
    {
        for (int i = 0; i < z.Length; i++) Assert.InRange(z[i] + delta[i], -1e-12, 1 + 1e-12);
        double reached = Dot(w, [.. z.Zip(delta, (a, d) => a + d)]);
        double low = w.Sum(v => Math.Min(v, 0.0)), high = w.Sum(v => Math.Max(v, 0.0));
        if (b < low || b > high)
        {
            Assert.Equal(b < low ? low : high, reached, 1e-6);
            return 0;
        }
        Assert.Equal(b, reached, 1e-6);
        int compared = 0;
        for (int trial = 0; trial < trials; trial++)
        {
            if (OtherPoint(random, z, w, b, delta) is not { } other) continue;
            Assert.True(norm(delta) <= norm(other) + 1e-9);
            compared++;
        }
        return compared;
    }

    /// <summary>Another feasible move: a random one, corrected along the normal until it meets the
    /// hyperplane, if the box lets it.</summary>
    private static double[]? OtherPoint(Random random, float[] z, float[] w, double b, double[] delta)
    {
        double[] other = [.. delta.Select(d => d + 0.2 * (random.NextDouble() - 0.5))];
        for (int i = 0; i < z.Length; i++) other[i] = Math.Clamp(z[i] + other[i], 0, 1) - z[i];
        for (int sweep = 0; sweep < 100; sweep++)
        {
            double gap = b - Dot(w, [.. z.Zip(other, (a, d) => a + d)]), squares = w.Sum(v => (double)v * v);
            if (Math.Abs(gap) < 1e-12) return other;
            for (int i = 0; i < z.Length; i++) other[i] = Math.Clamp(z[i] + other[i] + gap * w[i] / squares, 0, 1) - z[i];
        }
        return null;
    }

    private static double Dot(float[] w, double[] v) => w.Zip(v, (a, b) => a * b).Sum();

    private static float[] Draw(Random random, int n, double low, double high) =>
        [.. Enumerable.Range(0, n).Select(_ => (float)(low + (high - low) * random.NextDouble()))];

    private static void AssertNear(double[] expected, double[] actual, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }
}
