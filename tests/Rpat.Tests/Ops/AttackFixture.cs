using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Images in the box, and what must hold of adversarial ones.</summary>
public abstract class AttackFixture
{
    internal const int C = 3, H = 5, W = 7, Sample = C * H * W;

    public static TheoryData<float> Radii => [8 / 255f, 0.5f, 1e-6f, 1f, 40f];

    // Some pixels lie on the border of the box, where most images have theirs.
    private protected static Array4 Images(int n, int seed) => Array4.Uniform(n, C, H, W, seed, -0.2, 1.2).Map(v => Math.Clamp(v, 0, 1));

    private protected static Array4 Pick(Array4 x, int[] order)
    {
        Array4 result = new(order.Length, C, H, W);
        for (int i = 0; i < order.Length; i++) x.Sample(order[i]).CopyTo(result.Sample(i));
        return result;
    }

    private protected static float[] Part(float[] all, int i) => all[(i * Sample)..((i + 1) * Sample)];

    private protected static void Feasible(Array4 x, float[] adversarial, float eps, Func<double[], double> length)
    {
        Assert.All(adversarial, v => Assert.InRange(v, 0f, 1f));
        for (int n = 0; n < x.N; n++)
        {
            double[] delta = [.. Part(adversarial, n).Select((v, i) => v - x.Sample(n)[i])];
            Assert.InRange(length(delta), 0, eps + 1e-7 * Math.Max(1, length([.. delta.Select(_ => 1.0)]) / 4));
        }
    }

    private protected static double LinfDistance(double[] delta) => delta.Max(Math.Abs);

    private protected static double L2Distance(double[] delta) => Math.Sqrt(delta.Sum(d => d * d));
}
