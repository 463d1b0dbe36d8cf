using Rpat.Engine;
using Rpat.Engine.Random;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

/// <summary>Starts and steps of both norms against the references of methods.md 2.1 row A.</summary>
public class AttackStepTests
{
    private const int C = 3, H = 5, W = 7, Sample = C * H * W;

    // Largest distance of a float32 in [0, 1] from the double that it rounds, a few times over.
    private const double Rounding = 2e-7;

    private static readonly RandomKey _key = new(42, Purpose.AttackStart, 3, 0, 2, 0);

    public static TheoryData<float> Radii => [8 / 255f, 0.5f, 1e-6f, 1f, 40f];

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_box_start_follows_the_reference_and_stays_feasible(float eps)
    {
        Array4 x = Images(5, 1), uniform = Draws(x, (stream, d) => (stream.Symmetric(d) + 1.0) / 2);
        float[] start = Start(x, eps, l2: false, Indices(5));
        Near(ReferenceAttack.LinfStart(x, uniform, eps), start);
        Feasible(x, start, eps, LinfDistance);
    }

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_ball_start_follows_the_reference_and_stays_feasible(float eps)
    {
        Array4 x = Images(5, 2), uniform = Draws(x, (stream, d) => stream.Uniform(d));
        float[] start = Start(x, eps, l2: true, Indices(5));
        Near(ReferenceAttack.L2StartA(x, uniform, eps), start);
        Feasible(x, start, eps, L2Distance);
    }

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_sign_step_follows_the_reference_and_stays_feasible(float eps)
    {
        Array4 x = Images(5, 3), u = Nearby(x, eps), g = SomeZeros(Array4.Normal(5, C, H, W, seed: 4, deviation: 1e-5));
        float[] next = Step(x, u, g, eps / 4, eps, l2: false);
        Near(ReferenceAttack.LinfStep(x, u, g, eps / 4, eps), next);
        Feasible(x, next, eps, LinfDistance);
    }

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_normalised_step_follows_the_reference_and_stays_feasible(float eps)
    {
        Array4 x = Images(5, 5), u = Nearby(x, eps), g = SomeZeros(Array4.Normal(5, C, H, W, seed: 6, deviation: 1e-3));
        float[] next = Step(x, u, g, eps / 2, eps, l2: true);
        Near(ReferenceAttack.L2StepA(x, u, g, eps / 2, eps), next);
        Feasible(x, next, eps, L2Distance);
    }

    [Fact]
    public void A_zero_gradient_moves_nothing()
    {
        Array4 x = Images(2, 7), u = Nearby(x, 8 / 255f), zero = x.Like();
        Bits.Equal(u.ToFloats(), Step(x, u, zero, 0.1f, 8 / 255f, l2: false));
        Bits.Equal(u.ToFloats(), Step(x, u, zero, 0.1f, 100, l2: true));
    }

    [Fact]
    public void The_length_of_the_gradient_does_not_matter_to_the_sign_step()
    {
        Array4 x = Images(2, 8), g = Array4.Normal(2, C, H, W, seed: 9);
        Bits.Equal(Step(x, x, g, 0.01f, 0.03f, l2: false), Step(x, x, g.Map(v => 1e-30 * v), 0.01f, 0.03f, l2: false));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_sample_gets_the_same_numbers_in_any_batch_and_order(bool l2)
    {
        Array4 x = Images(6, 10), g = Array4.Normal(6, C, H, W, seed: 11);
        int[] order = [4, 0, 5, 2, 1, 3];
        float[] start = Start(x, 0.1f, l2, Indices(6)), shuffled = Start(Pick(x, order), 0.1f, l2, [.. order.Select(i => 100L + i)]);
        float[] step = Step(x, x, g, 0.05f, 0.1f, l2), stepShuffled = Step(Pick(x, order), Pick(x, order), Pick(g, order), 0.05f, 0.1f, l2);
        for (int i = 0; i < order.Length; i++)
        {
            Bits.Equal(Part(start, order[i]), Part(shuffled, i));
            Bits.Equal(Part(start, order[i]), Start(Pick(x, [order[i]]), 0.1f, l2, [100 + order[i]]));
            Bits.Equal(Part(step, order[i]), Part(stepShuffled, i));
        }
    }

    [Fact]
    public void Samples_epochs_restarts_and_seeds_draw_different_starts()
    {
        Array4 x = Images(1, 12);
        float[][] starts =
        [
            Start(x, 0.1f, false, [0]), Start(x, 0.1f, false, [1]), Start(x, 0.1f, false, [0], _key with { Epoch = 4 }),
            Start(x, 0.1f, false, [0], _key with { Restart = 3 }), Start(x, 0.1f, false, [0], _key with { Seed = 43 }),
        ];
        Assert.Equal(starts.Length, starts.Select(s => string.Join(' ', s)).Distinct().Count());
    }

    [Fact]
    public void Box_starts_fill_the_cube_evenly()
    {
        Array4 grey = new Array4(40, C, H, W).Map(_ => 0.5);
        double[] delta = Array.ConvertAll(Start(grey, 0.25f, false, Indices(40)), v => v - 0.5);
        Assert.InRange(delta.Average(), -0.01, 0.01);
        Assert.InRange(delta.Average(d => d * d), 0.0625 / 3 - 0.001, 0.0625 / 3 + 0.001);
        Assert.InRange(delta.Max(Math.Abs), 0.249, 0.25);
    }

    private static float[] Start(Array4 x, float eps, bool l2, long[] samples, RandomKey? key = null)
    {
        using var device = Device.Cpu(2);
        Tensor images = Tensor.From(device, new Shape(x.N, C, H, W), x.ToFloats()), start = Tensor.Create(device, images.Shape);
        RandomKey k = key ?? _key;
        if (l2) device.Kernels.L2Start(x.N, Sample, images.Data, eps, k, samples, start.Data);
        else device.Kernels.LinfStart(x.N, Sample, images.Data, eps, k, samples, start.Data);
        return start.ToArray();
    }

    private static float[] Step(Array4 x, Array4 u, Array4 g, float step, float eps, bool l2)
    {
        using var device = Device.Cpu(2);
        var shape = new Shape(x.N, C, H, W);
        Tensor images = Tensor.From(device, shape, x.ToFloats()), gradient = Tensor.From(device, shape, g.ToFloats());
        Tensor adversarial = Tensor.From(device, shape, u.ToFloats());
        if (l2) device.Kernels.L2Step(x.N, Sample, images.Data, gradient.Data, step, eps, adversarial.Data);
        else device.Kernels.LinfStep(shape.Count, images.Data, gradient.Data, step, eps, adversarial.Data);
        return adversarial.ToArray();
    }

    private static Array4 Draws(Array4 x, Func<PhiloxStream, long, double> draw)
    {
        Array4 result = x.Like();
        for (int i = 0; i < x.Length; i++) result.Data[i] = draw((_key with { Sample = 100 + i / Sample }).Stream(), i % Sample);
        return result;
    }

    private static long[] Indices(int n) => [.. Enumerable.Range(100, n).Select(i => (long)i)];

    // Some pixels lie on the border of the box, where most images have theirs.
    private static Array4 Images(int n, int seed) => Array4.Uniform(n, C, H, W, seed, -0.2, 1.2).Map(v => Math.Clamp(v, 0, 1));

    private static Array4 Nearby(Array4 x, float eps) =>
        x.Zip(Array4.Uniform(x.N, C, H, W, seed: 20), (v, r) => (float)Math.Clamp(v + r * Math.Min(eps, 0.3) / 11, 0, 1));

    private static Array4 SomeZeros(Array4 g)
    {
        g.Sample(0).Clear();
        for (int i = 0; i < g.Length; i += 4) g.Data[i] = 0;
        return g;
    }

    private static Array4 Pick(Array4 x, int[] order)
    {
        Array4 result = new(order.Length, C, H, W);
        for (int i = 0; i < order.Length; i++) x.Sample(order[i]).CopyTo(result.Sample(i));
        return result;
    }

    private static float[] Part(float[] all, int i) => all[(i * Sample)..((i + 1) * Sample)];

    private static void Near(Array4 expected, float[] actual)
    {
        for (int i = 0; i < actual.Length; i++)
            Assert.True(Math.Abs(expected.Data[i] - actual[i]) <= Rounding, $"[{i}] is {actual[i]:R} instead of {expected.Data[i]:R}");
    }

    private static void Feasible(Array4 x, float[] adversarial, float eps, Func<double[], double> length)
    {
        Assert.All(adversarial, v => Assert.InRange(v, 0f, 1f));
        for (int n = 0; n < x.N; n++)
        {
            double[] delta = [.. Part(adversarial, n).Select((v, i) => v - x.Sample(n)[i])];
            Assert.InRange(length(delta), 0, eps + 1e-7 * Math.Max(1, length([.. delta.Select(_ => 1.0)]) / 4));
        }
    }

    private static double LinfDistance(double[] delta) => delta.Max(Math.Abs);

    private static double L2Distance(double[] delta) => Math.Sqrt(delta.Sum(d => d * d));
}
