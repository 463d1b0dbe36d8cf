namespace Rpat.Tests.Robust.Attacks;

/// <summary>Square against the reference with a scripted random source (attacks.md 4.6) and properties P11, P12, P24.</summary>
public sealed class SquareTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData("linf", 0, 384, 1, 23.702381)]
    [InlineData("linf", 1, 389, 1, 23.473693)]
    [InlineData("linf", 5, 409, 1, 23.208521)]
    [InlineData("linf", 60, 684, 1, 21.499760)]
    [InlineData("linf", 300, 1884, 2, 19.384351)]
    [InlineData("l2", 0, 3136, 0, 23.991612)]
    [InlineData("l2", 1, 3189, 1, 23.446747)]
    [InlineData("l2", 5, 3389, 1, 22.592426)]
    [InlineData("l2", 60, 6070, 3, 20.253246)]
    [InlineData("l2", 300, 16630, 3, 19.105622)]
    public void Scripted_numbers_lead_where_they_lead_the_reference(string norm, int steps, int drawn, int fooled, double sum)
    {
        Fixture f = Fixture.M(_device);
        SquareScript script = new(norm == "linf", f.Labels.Length, Fixture.Image);
        var outcomes = f.Attack(new Square
        {
            Norm = Norm.Parse(norm),
            Eps = norm == "linf" ? 0.02 : 0.25,
            Steps = steps,
            Draws = script.Numbers
        });
        Assert.Equal(drawn, script.Drawn);
        Assert.Equal(fooled, outcomes.Count(o => o.Fooled));
        Assert.Equal(sum, -f.Losses(AttackLoss.Margin, outcomes.Select(o => o.Image)).Sum(), 5e-5);
        if (steps != 300) return;
        var queries = norm == "linf" ? new() { [7] = 288, [8] = 1 } : new Dictionary<int, int> { [7] = 42, [8] = 2, [13] = 57 };
        for (int i = 0; i < outcomes.Length; i++) Assert.Equal(queries.GetValueOrDefault(i, 301), outcomes[i].Forwards - 2);
    }

    [Theory]
    [InlineData(32, new[] { 29, 20, 14, 10, 7, 5, 4, 3 }, new[] { 29, 21, 15, 11, 7, 5, 5, 3 })]
    [InlineData(28, new[] { 25, 18, 13, 9, 6, 4, 3, 2 }, null)]
    [InlineData(8, new[] { 7, 5, 4, 3, 2, 1, 1, 1 }, new[] { 7, 5, 5, 3, 3, 3, 3, 3 })]
    public void Windows_shrink_as_in_the_specification(int size, int[] linf, int[]? l2)
    {
        int[] from = [0, 11, 51, 201, 501, 1001, 2001, 4001];
        double[] shares = Array.ConvertAll(from, i => SquareShapes.Share(0.8, i));
        Assert.Equal(linf, shares.Select(p => SquareShapes.LinfSide(p, size, size)));
        if (l2 is not null) Assert.Equal(l2, shares.Select(p => SquareShapes.L2Side(p, size, size)));
        Assert.Equal(0.8, SquareShapes.Share(0.8, 10));
    }

    [Fact]
    public void Patterns_are_the_references()
    {
        double[] three = [0.136083, 0.680414, 0.136083, -0.129099, -0.129099, -0.129099, -0.129099, -0.645497, -0.129099];
        double[] five =
        [
            0.049162, 0.159777, 0.159777, 0.159777, 0.049162, 0.049162, 0.159777, 0.602237, 0.159777, 0.049162,
            -0.045590, -0.148168, -0.148168, -0.148168, -0.045590, -0.045590, -0.148168, -0.558479, -0.148168, -0.045590,
            -0.045590, -0.148168, -0.148168, -0.148168, -0.045590,
        ];
        foreach (var (expected, side) in new[] { (three, 3), (five, 5) })
        {
            double[] eta = SquareShapes.Eta(side);
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], eta[i], 1e-6);
        }
    }

    [Theory]
    [InlineData("linf", false)]
    [InlineData("l2", false)]
    [InlineData("linf", true)]
    public void Margins_never_rise_no_gradient_is_taken_and_queries_are_counted(string norm, bool everyPosition)
    {
        Fixture f = Fixture.R(_device);
        long before = _device.BackwardPasses;
        var margins = new Dictionary<long, List<double>>();
        var outcomes = f.Attack(
            new Square { Norm = Norm.Parse(norm), Eps = norm == "linf" ? 0.05 : 0.6, Steps = 80, EveryPosition = everyPosition },
            s => s.Trace = p => (margins.TryGetValue(s.Index, out var m) ? m : margins[s.Index] = []).Add(p.Value));
        Assert.Equal(before, _device.BackwardPasses);
        Assert.All(margins.Values, m => Assert.Equal(m.OrderDescending(), m));
        foreach (var o in outcomes)
        {
            Assert.Equal(0, o.Backwards);
            int alive = margins.TryGetValue(o.Index, out var m) ? m.Count : 0;
            Assert.Equal(alive + 3, o.Forwards);
            Assert.InRange(o.Forwards, 3, 83);
            if (norm == "linf") AssertCorners(f, o);
        }
    }

    [Fact]
    public void A_survivor_costs_what_it_costs_the_reference()
    {
        var o = Fixture.M(_device).Attack(new Square { Eps = 0.001 }).First(o => !o.Fooled);
        Assert.Equal((5003, 0), (o.Forwards, o.Backwards));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 1, 7)]
    [InlineData(1, 4, 9)]
    [InlineData(2, 12, 12)]
    [InlineData(1, 14, 3)]
    [InlineData(1, 24, 24)]
    public void Every_image_size_can_be_attacked_in_both_norms(int channels, int height, int width)
    {
        Shape image = new(1, channels, height, width);
        int size = image.SampleCount;
        Lcg lcg = new(4);
        DenseNet net = new(_device, image, [new(lcg.Fill(3 * size, u => u - 0.5), lcg.Fill(3))]);
        float[] x = Array.ConvertAll(lcg.Fill(4 * size), v => (float)v);
        foreach (Norm norm in new[] { Norm.Linf, Norm.L2 })
        {
            var outcomes = new AttackRunner(net).Perturb(new Square { Norm = norm, Eps = 0.3, Steps = 40 }, x, [0, 1, 2, 0]);
            for (int i = 0; i < 4; i++)
                Assert.InRange(norm.Distance(outcomes[i].Image, x.AsSpan(i * size, size)), 0, 0.3 * (1 + 1e-5));
        }
    }

    private static void AssertCorners(Fixture f, AttackOutcome o)
    {
        float[] x = Exact.ImageOf(f, (int)o.Index);
        for (int i = 0; i < x.Length; i++)
        {
            float v = o.Image[i];
            bool border = v is 0 or 1, corner = Math.Abs(Math.Abs(v - x[i]) - 0.05f) < 1e-6;
            Assert.True(border || corner, $"[{i}] moved by {v - x[i]}");
        }
    }
}
