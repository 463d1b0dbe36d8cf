using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

/// <summary>Random starts of both norms stay where they must, whatever the batch.</summary>
public sealed class AttackStartTests : AttackFixture
{
    private static readonly RandomKey _key = new(42, Purpose.AttackStart, 3, 0, 2, 0);

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_box_start_stays_feasible(float eps)
    {
        Array4 x = Images(5, 1);
        float[] start = Start(x, eps, l2: false, Indices(5));
        Feasible(x, start, eps, LinfDistance);
    }

    [Theory]
    [MemberData(nameof(Radii))]
    public void The_ball_start_stays_feasible(float eps)
    {
        Array4 x = Images(5, 2);
        float[] start = Start(x, eps, l2: true, Indices(5));
        Feasible(x, start, eps, L2Distance);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_sample_gets_the_same_numbers_in_any_batch_and_order(bool l2)
    {
        Array4 x = Images(6, 10);
        int[] order = [4, 0, 5, 2, 1, 3];
        float[] start = Start(x, 0.1f, l2, Indices(6)), shuffled = Start(Pick(x, order), 0.1f, l2, [.. order.Select(i => 100L + i)]);
        for (int i = 0; i < order.Length; i++)
        {
            Bits.Equal(Part(start, order[i]), Part(shuffled, i));
            Bits.Equal(Part(start, order[i]), Start(Pick(x, [order[i]]), 0.1f, l2, [100 + order[i]]));
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

    private static long[] Indices(int n) => [.. Enumerable.Range(100, n).Select(i => (long)i)];
}
