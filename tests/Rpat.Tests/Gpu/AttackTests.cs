using Rpat.Engine;
using Rpat.Engine.Random;

namespace Rpat.Tests.Gpu;

[Collection(GpuCollection.Name)]
[Covers(nameof(IAttackStepKernels.LinfStep), nameof(IAttackStepKernels.L2Step), nameof(IAttackStartKernels.LinfStart), nameof(IAttackStartKernels.L2Start),
    nameof(IAttackStartKernels.GaussianStart))]
public class AttackTests(GpuFixture fixture)
{
    private static readonly RandomKey _key = new(42, Purpose.AttackStart, 3, 0, 2, 5);

    /// <summary>N, C, H, W, ε.</summary>
    public static TheoryData<int, int, int, int, float> Cases => new()
    {
        { 3, 3, 5, 7, 8 / 255f }, { 2, 1, 3, 3, 0.5f }, { 2, 3, 8, 8, 128 / 255f }, { 1, 1, 1, 1, 40f }, { 2, 1, 17, 17, 1e-6f },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Starts_have_the_bits_of_the_CPUs(int n, int c, int h, int w, float eps)
    {
        using var duel = new Duel(fixture);
        var shape = new Shape(n, c, h, w);
        Pair x = duel.Plain(shape, 1, 0), box = duel.Plain(shape, 2), ball = duel.Plain(shape, 3);
        long[] samples = [.. Enumerable.Range(0, n).Select(i => 4_000_000_000L - 77 * i)];
        duel.Run((k, on) =>
        {
            k.LinfStart(n, shape.SampleCount, on(x)!, eps, _key, samples, on(box)!);
            k.L2Start(n, shape.SampleCount, on(x)!, eps, _key, samples, on(ball)!);
        });
        duel.CheckBits(box);
        duel.CheckBits(ball);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gaussian_starts(int n, int c, int h, int w, float deviation)
    {
        using var duel = new Duel(fixture);
        var shape = new Shape(n, c, h, w);
        Pair x = duel.Plain(shape, 1, 0), start = duel.Plain(shape, 2);
        long[] samples = [.. Enumerable.Range(0, n).Select(i => 4_000_000_000L - 77 * i)];
        duel.Run((k, on) => k.GaussianStart(n, shape.SampleCount, on(x)!, deviation, _key, samples, on(start)!));
        duel.Check(start, "x′");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Steps(int n, int c, int h, int w, float eps)
    {
        using var duel = new Duel(fixture);
        var shape = new Shape(n, c, h, w);
        Pair x = duel.Plain(shape, 1, 0), g = duel.Plain(shape, 2), box = duel.Plain(shape, 3, 0), ball = duel.Plain(shape, 4, 0), last = duel.Plain(shape, 5, 0);
        duel.Run((k, on) =>
        {
            k.LinfStep(shape.Count, on(x)!, on(g)!, eps / 4, eps, on(box)!);
            k.L2Step(n, shape.SampleCount, on(x)!, on(g)!, eps / 4, eps, ballFirst: false, on(ball)!);
            k.L2Step(n, shape.SampleCount, on(x)!, on(g)!, eps / 4, eps, ballFirst: true, on(last)!);
        });
        duel.CheckBits(box);
        duel.Check(ball, "x′");
        duel.Check(last, "x′, ball first");
    }

    [Fact]
    public void Gradients_of_zero_and_of_no_number_move_nothing()
    {
        using var duel = new Duel(fixture);
        var shape = new Shape(1, 4);
        Pair x = duel.Plain(shape, 1, 0.4, 0.6), g = duel.Plain(shape, 2), adversarial = duel.Plain(shape, 3, 0.4, 0.6);
        foreach (var device in duel.Devices) device.Upload([0f, -0f, float.NaN, 1e-38f], device == duel.Devices[0] ? g.Cpu : g.Gpu);
        duel.Run((k, on) => k.LinfStep(4, on(x)!, on(g)!, 0.01f, 0.5f, on(adversarial)!));
        duel.CheckBits(adversarial);
    }
}
