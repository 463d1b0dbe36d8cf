using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>The closed forms and the oracle against the numbers of attacks.md 4.2 and 4.5, and attacks against them (P6, P8).</summary>
public sealed class OptimaTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void The_linear_fixture_has_these_optima()
    {
        Fixture l = Fixture.L(_device);
        Assert.Equal([4, 4, 4, 4, 6, 4, 4, 4, 1, 2, 7, 6, 6, 6, 4, 4], l.Labels);
        AssertNear(
            [0.017396, 0.020971, 0.007733, 0.010401, 0.008542, 0.014439, 0.011505, 0.024670, 0.002615, 0.005249, 0.022360, 0.015855,
                0.009626, 0.004007, 0.025526, 0.014362],
            Exact.MinimumNorms(l, Norm.Linf), 1e-6);
        AssertNear(
            [0.194169, 0.232010, 0.086869, 0.116217, 0.098909, 0.161341, 0.127940, 0.276062, 0.029459, 0.058469, 0.251216, 0.179600,
                0.107379, 0.045393, 0.287830, 0.162884],
            Exact.MinimumNorms(l, Norm.L2), 1e-6);
        AssertNear(
            [0.166093, 0.263454, -0.128660, -0.048478, -0.112458, 0.075388, -0.014665, 0.380008, -0.290616, -0.218393, 0.320166, 0.120441,
                -0.070906, -0.275719, 0.421193, 0.074614],
            Exact.WorstMargins(l, Norm.Linf, 0.012), 2e-6);
        AssertNear(
            [0.149866, 0.245599, -0.142818, -0.065424, -0.115882, 0.059093, -0.032322, 0.364669, -0.305162, -0.238141, 0.308093, 0.109735,
                -0.087353, -0.289977, 0.410276, 0.063687],
            Exact.WorstMargins(l, Norm.L2, 0.14), 2e-6);
    }

    [Fact]
    public void The_relu_oracle_has_these_optima()
    {
        Fixture o = Fixture.O(_device);
        Assert.Equal([2, 2, 2, 2, 2, 2, 0, 0, 0, 2, 2, 0], o.Labels);
        AssertNear(
            [0.185725, 0.493151, -0.239318, 0.498020, 0.768224, 0.449645, 0.027317, -0.166191, -0.216269, 0.439388, 0.705714, 0.320591],
            OracleMargins(o), 1e-6);
    }

    [Theory]
    [InlineData("linf", 0.012934783595352235)]
    [InlineData("l2", 0.14465471270382887)]
    [InlineData("linf", 0.012)]
    [InlineData("l2", 0.14)]
    public void AutoAttack_finds_exactly_the_robust_images_of_a_linear_net(string name, double eps)
    {
        Fixture l = Fixture.L(_device);
        Norm norm = Norm.Parse(name);
        bool[] robust = Array.ConvertAll(Exact.WorstMargins(l, norm, eps), m => m > 0), left = new bool[robust.Length];
        Array.Fill(left, true);
        foreach (Attack attack in AutoAttack.Standard(norm, eps, 10).Attacks)
            foreach (var o in l.Attack(attack is Square s ? s with { Steps = 200 } : attack))
                if (o.Fooled) left[o.Index] = false;
        Assert.Equal(robust, left);
        Assert.Equal(8, robust.Count(r => r));
    }

    [Theory]
    [InlineData("linf", 0.012)]
    [InlineData("l2", 0.14)]
    public void No_attack_goes_below_the_exact_margin_and_each_comes_as_near_as_it_can(string name, double eps)
    {
        Fixture l = Fixture.L(_device);
        Norm norm = Norm.Parse(name);
        double[] exact = Exact.WorstMargins(l, norm, eps);
        Check(new Fgsm(), 1);
        Check(PgdAttack.CwLinf with { StepSize = eps / 4, Keep = Keep.Last }, 0.15);
        Check(Apgd.CrossEntropy with { BestLoss = true, StopAtSuccess = false }, 0.12);
        Check(new Square { Steps = 500 }, 1);
        // Each of the nine targets by itself, the best of them.
        double[] best = Enumerable.Repeat(double.PositiveInfinity, exact.Length).ToArray();
        foreach (var o in Enumerable.Range(2, 9).SelectMany(rank => l.Attack(new OneTarget(rank) { Norm = norm, Eps = eps })))
            best[o.Index] = Math.Min(best[o.Index], l.Linear().Margin(o.Image, l.Labels[o.Index]));
        for (int i = 0; i < best.Length; i++) Assert.InRange(best[i], exact[i] - 1e-5, exact[i] + 0.03);

        void Check(Attack attack, double slack)
        {
            foreach (var o in l.Attack(attack with { Norm = norm, Eps = eps }))
                Assert.InRange(l.Linear().Margin(o.Image, l.Labels[o.Index]), exact[o.Index] - 1e-5, exact[o.Index] + slack);
        }
    }

    [Fact]
    public void Attacks_with_enough_restarts_reach_the_oracles_optimum()
    {
        Fixture o = Fixture.O(_device);
        double[] exact = OracleMargins(o);
        AssertReached(Apgd.CrossEntropy with { Eps = 0.1, Restarts = 20, BestLoss = true, StopAtSuccess = false }, 1e-3);
        AssertReached(new PgdAttack { Loss = AttackLoss.Margin, Eps = 0.1, StepSize = 0.1 / 40, Steps = 100, Restarts = 20 }, 1e-3);
        AssertReached(new Square { Eps = 0.1, Steps = 2000 }, 1e-3);
        AssertReached(Apgd.Dlr with { Eps = 0.1, BestLoss = true, StopAtSuccess = false }, double.PositiveInfinity);

        void AssertReached(Attack attack, double tolerance)
        {
            double[] found = Margins(o, o.Attack(attack));
            for (int i = 0; i < exact.Length; i++)
            {
                Assert.True(found[i] >= exact[i] - 1e-6);
                if (exact[i] > 0)
                    Assert.True(found[i] <= exact[i] + tolerance, $"{attack.Name} leaves image {i} at {found[i]} instead of {exact[i]}");
            }
        }
    }

    [Fact]
    public void The_self_test_passes_on_this_device() =>
        Assert.All(SelfTest.Run(_device).Cases, c => Assert.True(c.Passed, $"{c.Name}: {c.Finding}"));

    private static double[] Margins(Fixture o, AttackOutcome[] outcomes) =>
        [.. outcomes.Select(r => OracleOf(o).Margin(r.Image[0], r.Image[1], o.Labels[r.Index]))];

    private static double[] OracleMargins(Fixture o) =>
        [.. o.Labels.Select((label, i) => OracleOf(o).WorstMargin(Exact.ImageOf(o, i), label, 0.1))];

    private static ReluOracle OracleOf(Fixture o)
    {
        float[][] p = [.. o.Net.Parameters.Parameters.Select(p => p.ToArray())];
        return new ReluOracle(p[0], p[1], p[2], p[3]);
    }

    private static void AssertNear(double[] expected, double[] actual, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }

    /// <summary>APGD-T with a single target, the best point whether it fools or not.</summary>
    private sealed record OneTarget(int Rank) : Attack
    {
        private Apgd Inner => Apgd.Targeted with { Norm = Norm, Eps = Eps, BestLoss = true, StopAtSuccess = false };
        public override string Name => "one-target";
        public override string Settings => "";
        internal override int Id => 12;
        public override IReadOnlyList<AttackPart> Parts(int classes) => [new AttackPart(Rank, 0)];
        protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) => Inner.Run(subject, part);
    }
}
