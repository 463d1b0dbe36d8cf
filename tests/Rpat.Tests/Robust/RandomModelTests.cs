using Rpat.Tests.Golden;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>Models whose passes differ: AutoAttack's rand version against make_golden_rand.py, and
/// attacks that must not end at a lucky pass.</summary>
public sealed class RandomModelTests : IDisposable
{
    private const int First = 3, Count = 4;

    private static readonly GoldenArrays _golden = new("rand.npz");

    private readonly string _root = Directory.CreateTempSubdirectory("rpat-random-").FullName;
    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _m;

    public RandomModelTests() => _m = Fixture.M(_device);

    public void Dispose()
    {
        _device.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData("linf", 0.02, 0.1, First, Count)]
    [InlineData("l2", 0.25, 0.15, First, Count)]
    [InlineData("l2", 0.25, 0.15, 15, 1)] // looks wrong before APGD-CE, which leaves it
    public void Rand_breaks_the_images_that_the_reference_breaks_at_the_same_noise(
        string norm, double eps, double deviation, int first, int count)
    {
        var transform = new GaussianNoise(deviation);
        var (folder, report) = Evaluate(AutoAttack.Rand(Norm.Parse(norm), eps, 10), transform, first: first, count: count);
        int[] broken = _golden.Integers(FormattableString.Invariant($"{norm}-{eps}-{deviation}/broken"))[first..(first + count)];
        var ledger = Ledger.Read(folder);
        Assert.Equal(broken, Enumerable.Range(0, count).Select(i => ledger.Any(e => e is { Eps: < 0, Fooled: true } && e.Sample == i) ? -2
            : ledger.FirstOrDefault(e => e is { Eps: 0, Fooled: true } && e.Sample == i)?.Stage ?? -1));
        Assert.Equal(broken.Count(b => b == -1), report.Columns[0].Robust);
        var looked = _golden.Integers(FormattableString.Invariant($"{norm}-{eps}-{deviation}/looked"));
        Assert.All(ledger.Where(e => e.Eps == 0), e => Assert.Equal(looked[2 * (first + e.Sample) + e.Stage] < 0 ? 0 : 2020, e.Backwards));
        Assert.All(ledger.Where(e => e.Eps == 0), e => Assert.Equal(e.Backwards + 1, e.Forwards));
        Assert.Equal(first == 15, ledger.Any(e => e is { Eps: 0, Backwards: 0 }));
        Assert.Empty(Verification.Run(folder, _m.Net, "net", transform: transform).Problems);
        Assert.NotEmpty(Verification.Run(folder, _m.Net, "net", transform: new GaussianNoise(2 * deviation)).Problems);
    }

    [Fact]
    public void Rand_has_the_references_settings_and_a_random_model_is_not_told_to_use_what_it_uses()
    {
        var rand = AutoAttack.Rand(Norm.Linf, 0.02, 10);
        Assert.Equal(1, rand.SuccessPasses);
        Assert.All(rand.Attacks.Cast<Apgd>(), a => Assert.Equal((20, 1, 100, false), (a.Draws, a.Restarts, a.Steps, a.StopAtSuccess)));
        var noise = new GaussianNoise(0.1);
        var quick = rand with { Attacks = [Apgd.CrossEntropy with { Eps = 0.02, Draws = 2, Steps = 2 }] };
        Assert.DoesNotContain("use aa-rand", Evaluate(quick, noise).Report.Warnings.Single(w => w.Flag == "randomized").Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_attack_ends_at_a_lucky_pass(bool ownNoise)
    {
        const int steps = 6;
        Attack[] attacks = [Apgd.CrossEntropy with { Eps = 0.004, Steps = steps }, new PgdAttack
            { Eps = 0.004, Steps = steps + 1, Keep = Keep.AnyMisclassified }];
        var suite = new AttackSuite("own", "own", attacks) { SuccessPasses = 21 };
        Random random = new(1);
        var net = ownNoise ? Fixture.M(_device, (tape, z) => tape.Record(
            new RowNode(tape, z, x => Array.ConvertAll(x, v => v + 3 * (float)random.NextDouble()), (_, dy) => dy)).Output) : _m;
        var (folder, _) = Evaluate(suite, ownNoise ? null : new GaussianNoise(0.2), net);
        var lines = Ledger.Read(folder).Where(e => e.Eps == 0).ToList();
        Assert.Contains(lines, e => !e.Fooled && e.Iteration >= 0 && e.Stage == 0);
        Assert.All(lines, e => Assert.Equal(steps + 1, e.Backwards));
    }

    private (string Folder, EvaluationReport Report) Evaluate(
        AttackSuite suite, InputTransform? transform, Fixture? net = null, int first = First, int count = Count)
    {
        string folder = Path.Combine(_root, "e");
        EvaluationPlan plan = new()
        {
            Norm = suite.Attacks[0].Norm,
            Radii = [new(FormattableString.Invariant($"{suite.Attacks[0].Eps}"), suite.Attacks[0].Eps)],
            Model = "net",
            ModelHash = "net",
            Data = "data",
            Seed = 3,
            First = first,
            Transform = transform,
            SuitesAt = _ => [suite],
        };
        int size = Fixture.Image.SampleCount;
        float[] images = _m.Images[(first * size)..((first + count) * size)];
        return (folder, new RobustEvaluation((net ?? _m).Net, plan, images, _m.Labels[first..(first + count)], folder, Fixture.Image)
        { SkipSelfTest = true }.Run(resume: false));
    }
}
