namespace Rpat.Tests.Robust.Attacks;

/// <summary>L1: the projection onto ball and box at once, the sparse step, and AutoAttack on a linear net (attacks.md 2.9).</summary>
public sealed class L1GeometryTests
{
    private static readonly NormGeometry _l1 = NormGeometry.L1;

    [Theory]
    [InlineData(1, 0.3)]
    [InlineData(2, 2)]
    [InlineData(3, 9)]
    public void The_projection_is_the_nearest_point_of_ball_and_box(int seed, double eps)
    {
        Random random = new(seed);
        for (int @case = 0; @case < 100; @case++)
        {
            float[] x = Draw(random, 30, 0, 1), wanted = Draw(random, 30, -1.5, 2.5), u = (float[])wanted.Clone();
            if (@case % 3 == 0) (x[0], x[1]) = (0, 1);
            _l1.Project(x, u, eps);
            Assert.All(u, v => Assert.InRange(v, 0f, 1f));
            Assert.True(_l1.Distance(u, x) <= eps * (1 + 1e-6) + 1e-7);
            double[] exact = Nearest(x, wanted, eps);
            for (int i = 0; i < u.Length; i++) Assert.Equal(exact[i], u[i], 1e-5);
        }
    }

    [Fact]
    public void A_point_of_ball_and_box_stays()
    {
        float[] x = [0.5f, 0.25f, 1, 0], u = [0.75f, 0.125f, 1, 0];
        float[] moved = (float[])u.Clone();
        _l1.Project(x, moved, 0.375);
        Assert.Equal(u, moved);
    }

    [Fact]
    public void A_step_moves_the_share_of_values_with_the_largest_slopes_by_its_length()
    {
        float[] g = [.. Enumerable.Range(1, 100).Select(i => i % 2 == 0 ? i : -i)];
        float[] v = L1Geometry.Ascend(new float[100], g, 1, share: 0.1);
        Assert.Equal(10, v.Count(value => value != 0));
        Assert.Equal(1, v.Sum(Math.Abs), 1e-6f);
        Assert.All(v.Skip(90).Select((value, i) => (value, i)), p => Assert.Equal(p.i % 2 == 1 ? 0.1f : -0.1f, p.value, 1e-7f));
    }

    // δ = sign(y)·min(max(|y| − λ, 0), room) with λ by bisection, in double.
    private static double[] Nearest(float[] x, float[] wanted, double eps)
    {
        double[] At(double level) => [.. x.Select((v, i) =>
        {
            double y = (double)wanted[i] - v, room = y > 0 ? 1.0 - v : v;
            return Math.Sign(y) * Math.Min(Math.Max(Math.Abs(y) - level, 0), room);
        })];
        double low = 0, high = 10;
        for (int i = 0; i < 100 && At(0).Sum(Math.Abs) > eps; i++)
            if (At((low + high) / 2).Sum(Math.Abs) > eps) low = (low + high) / 2;
            else high = (low + high) / 2;
        return [.. At(At(0).Sum(Math.Abs) > eps ? high : 0).Zip(x, (d, v) => v + d)];
    }

    private static float[] Draw(Random random, int count, double low, double high) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(low + (high - low) * random.NextDouble()))];
}
