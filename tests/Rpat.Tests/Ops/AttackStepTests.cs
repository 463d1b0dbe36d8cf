using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

/// <summary>Steps of both norms stay where they must, whatever the batch.</summary>
public sealed class AttackStepTests : AttackFixture
{
    [Theory]
    [MemberData(nameof(Radii))]
    public void The_sign_step_stays_feasible(float eps)
    {
        Array4 x = Images(5, 3), u = Nearby(x, eps), g = SomeZeros(Array4.Normal(5, C, H, W, seed: 4, deviation: 1e-5));
        float[] next = Step(x, u, g, eps / 4, eps, l2: false);
        Feasible(x, next, eps, LinfDistance);
    }

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_normalised_step_stays_feasible(float eps)
    {
        Array4 x = Images(5, 5), u = Nearby(x, eps), g = SomeZeros(Array4.Normal(5, C, H, W, seed: 6, deviation: 1e-3));
        float[] next = Step(x, u, g, eps / 2, eps, l2: true);
        Feasible(x, next, eps, L2Distance);
    }

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_ball_may_come_before_the_box(float eps)
    {
        Array4 x = Images(5, 5), u = Nearby(x, eps), g = SomeZeros(Array4.Normal(5, C, H, W, seed: 6, deviation: 1e-3));
        float[] next = Step(x, u, g, eps / 2, eps, l2: true, ballFirst: true);
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
    public void Each_sample_moves_alike_in_any_batch_and_order(bool l2)
    {
        Array4 x = Images(6, 10), g = Array4.Normal(6, C, H, W, seed: 11);
        int[] order = [4, 0, 5, 2, 1, 3];
        float[] step = Step(x, x, g, 0.05f, 0.1f, l2), shuffled = Step(Pick(x, order), Pick(x, order), Pick(g, order), 0.05f, 0.1f, l2);
        for (int i = 0; i < order.Length; i++) Bits.Equal(Part(step, order[i]), Part(shuffled, i));
    }

    private static float[] Step(Array4 x, Array4 u, Array4 g, float step, float eps, bool l2, bool ballFirst = false)
    {
        using var device = Device.Cpu(2);
        var shape = new Shape(x.N, C, H, W);
        Tensor images = Tensor.From(device, shape, x.ToFloats()), gradient = Tensor.From(device, shape, g.ToFloats());
        Tensor adversarial = Tensor.From(device, shape, u.ToFloats());
        if (l2) device.Kernels.L2Step(x.N, Sample, images.Data, gradient.Data, step, eps, ballFirst, adversarial.Data);
        else device.Kernels.LinfStep(shape.Count, images.Data, gradient.Data, step, eps, adversarial.Data);
        return adversarial.ToArray();
    }

    private static Array4 Nearby(Array4 x, float eps) =>
        x.Zip(Array4.Uniform(x.N, C, H, W, seed: 20), (v, r) => (float)Math.Clamp(v + r * Math.Min(eps, 0.3) / 11, 0, 1));

    private static Array4 SomeZeros(Array4 g)
    {
        g.Sample(0).Clear();
        for (int i = 0; i < g.Length; i += 4) g.Data[i] = 0;
        return g;
    }
}
