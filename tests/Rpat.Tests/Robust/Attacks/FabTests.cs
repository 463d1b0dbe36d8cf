namespace Rpat.Tests.Robust.Attacks;

/// <summary>FAB and FAB-T against the reference's minimum norms (attacks.md 4.6) and properties P7, P10, P24.</summary>
public sealed class FabTests : IDisposable
{
    private static readonly double[] _linfM =
    [
        0.019346, 0.049317, 0.051337, 0.023694, 0.027461, 0.026477, 0.014860, 0.003773,
        0.000013, 0.016231, 0.060747, 0.021445, 0.039316, 0.006297, 0.064310, 0.016849,
    ];

    private static readonly double[] _l2M =
    [
        0.218598, 0.557318, 0.558871, 0.263673, 0.306945, 0.294988, 0.169121, 0.043529,
        0.000140, 0.182141, 0.679894, 0.241950, 0.438292, 0.071581, 0.708294, 0.184806,
    ];

    private static readonly double[] _l1M =
    [
        1.221610, 3.353997, 3.315548, 1.449366, 1.707539, 1.678863, 0.951530, 0.237851,
        0.000689, 0.997020, 4.506300, 1.496639, 2.449073, 0.445463, 4.000636, 0.939340,
    ];

    private static readonly double[] _linfR =
    [
        0.085567, 0.063697, 0.078152, 0.041889, 0.057250, 0.056887, 0.064449, 0.003993,
        0.042675, 0.043919, 0.135525, 0.042821, 0.044358, 0.058391, 0.023396, 0.022685,
    ];

    private static readonly double[] _l2R =
    [
        0.874038, 0.701078, 0.740360, 0.451167, 0.620840, 0.591695, 0.699951, 0.044508,
        0.474576, 0.477966, 1.226222, 0.452169, 0.479909, 0.624939, 0.253797, 0.255763,
    ];

    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData("linf")]
    [InlineData("l2")]
    [InlineData("l1")]
    public void Minimum_norms_on_a_tanh_net_are_the_references(string norm) =>
        AssertNorms(norm == "linf" ? _linfM : norm == "l2" ? _l2M : _l1M,
        Norms(Fixture.M(_device), new Fab { Norm = Norm.Parse(norm), Eps = 10 }));

    [Theory]
    [InlineData("linf")]
    [InlineData("l2")]
    public void Minimum_norms_on_a_relu_net_are_the_references(string norm) =>
        AssertNorms(norm == "linf" ? _linfR : _l2R, Norms(Fixture.R(_device), new Fab { Norm = Norm.Parse(norm), Eps = 10 }));

    [Theory]
    [InlineData("linf", 0.065770, 0.061997, 0.068033, 0.016669)]
    [InlineData("l2", 0.737280, 0.708495, 0.744968, 0.185142)]
    public void With_the_runner_up_as_target_four_images_differ_as_the_references_do(string norm, double n1, double n10, double n14,
    double n15)
    {
        double[] expected = [.. norm == "linf" ? _linfM : _l2M];
        (expected[1], expected[10], expected[14], expected[15]) = (n1, n10, n14, n15);
        AssertNorms(expected, Norms(Fixture.M(_device), new Fab { Norm = Norm.Parse(norm), Eps = 10, Targets = 1 }));
    }

    [Fact]
    public void A_target_may_be_nearer_than_the_greedy_choice()
    {
        double[] norms = Norms(Fixture.R(_device), new Fab { Eps = 10, Targets = 1 });
        Assert.Equal(0.118323, norms[10], 2e-6);
    }

    [Theory]
    [InlineData("linf", 0)]
    [InlineData("l2", 0)]
    [InlineData("linf", 9)]
    [InlineData("l2", 9)]
    public void On_a_linear_net_it_comes_within_one_percent_of_the_smallest_norm(string norm, int targets)
    {
        Fixture f = Fixture.L(_device);
        Norm n = Norm.Parse(norm);
        double[] exact = Exact.MinimumNorms(f, n), found = Norms(f, new Fab { Norm = n, Eps = 10, Targets = targets }, best: true);
        Assert.All(found.Zip(exact), pair => Assert.InRange(pair.First / pair.Second, 1 - 1e-5, 1.01));
    }

    [Fact]
    public void Only_points_within_the_radius_count()
    {
        var outcomes = Fixture.M(_device).Attack(Fab.Targeted with { Eps = 0.02 });
        for (int i = 0; i < outcomes.Length; i++)
            Assert.Equal(_linfM[i] <= 0.02, outcomes[i].Fooled);
    }

    [Fact]
    public void The_best_norm_never_grows()
    {
        var norms = new Dictionary<long, List<double>>();
        Fixture.M(_device).Attack(new Fab { Eps = 10, Targets = 1, Steps = 40 }, s => s.Trace = p =>
        {
            if (p.Quantity != "norm") return;
            if (!norms.TryGetValue(s.Index, out var own)) norms[s.Index] = own = [];
            own.Add(p.Value);
        });
        Assert.Equal(16, norms.Count);
        Assert.All(norms.Values, way => Assert.Equal(way.OrderDescending(), way));
    }

    [Fact]
    public void A_survivor_costs_what_it_costs_the_reference()
    {
        var o = Fixture.M(_device).Attack(Fab.Targeted with { Eps = 0.002 }).First(o => !o.Fooled);
        Assert.Equal((1828, 900), (o.Forwards, o.Backwards));
    }

    [Fact]
    public void Restarts_begin_in_the_ball_and_never_lose_a_success()
    {
        Fixture f = Fixture.M(_device);
        var one = f.Attack(new Fab { Eps = 0.0235, Steps = 3 });
        var three = f.Attack(new Fab { Eps = 0.0235, Steps = 3, Restarts = 3 });
        for (int i = 0; i < one.Length; i++) Assert.True(three[i].Fooled || !one[i].Fooled);
        List<double>[] ways = [.. f.Labels.Select(_ => new List<double>())];
        f.Attack(new Fab { Eps = 0.001, Steps = 3, Restarts = 3 }, s => s.Trace = p =>
        {
            if (p.Quantity == "gap") ways[s.Index].Add(p.Value);
        });
        // An image that the first start fools has no other.
        Assert.InRange(ways.Count(way => way.Count == 9), 8, ways.Length);
        foreach (var way in ways.Where(way => way.Count == 9))
            Assert.Equal(3, way.Chunk(3).Select(gaps => string.Join(' ', gaps)).Distinct().Count());
    }

    private static double[] Norms(Fixture f, Fab attack, bool best = false)
    {
        // Without a radius the first target would end the search, so each is tried alone.
        var norms = Enumerable.Repeat(double.PositiveInfinity, f.Labels.Length).ToArray();
        Fab radiusless = best ? attack with { Eps = 0 } : attack;
        f.Attack(radiusless, s => s.Trace = p => norms[s.Index] = p.Quantity == "norm" ? Math.Min(norms[s.Index], p.Value)
            : norms[s.Index]);
        return norms;
    }

    private static void AssertNorms(double[] expected, double[] actual)
    {
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);
    }
}
