using Rpat.Engine;

namespace Rpat.Tests.Gpu;

/// <summary>Losses on logits of few and of many classes, values of ordinary size and of a size at which probabilities underflow.</summary>
[Collection(GpuCollection.Name)]
[Covers(nameof(ICrossEntropyKernels.CrossEntropy), nameof(ICrossEntropyKernels.CrossEntropyGradient), nameof(IKlDivergenceKernels.KlDivergence),
    nameof(IKlDivergenceKernels.KlDivergenceGradient), nameof(IKlDivergenceKernels.KlDivergenceTargetGradient),
    nameof(IMeanSquaredErrorKernels.MeanSquaredError), nameof(IMeanSquaredErrorKernels.MeanSquaredErrorGradient),
    nameof(IPerceptionKernels.Perception), nameof(IPerceptionKernels.PerceptionGradient), nameof(IPerceptionKernels.RpatLoss),
    nameof(IPerceptionKernels.RpatLossGradient))]
public class LossTests(GpuFixture fixture)
{
    private const float Coefficient = 0.37f;

    public static TheoryData<int, int, double> Sizes => new() { { 3, 1, 1 }, { 5, 10, 4 }, { 6, 33, 4 }, { 2, 100, 1000 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Cross_entropy(int n, int k, double size)
    {
        using var duel = new Duel(fixture);
        Pair z = duel.Plain(new Shape(n, k), 1, -size, size), labels = Labels(duel, n, k);
        Pair values = duel.Plain(new Shape(1, n), 2), stored = duel.Plain(new Shape(n, k), 3), added = duel.Plain(new Shape(n, k), 4);
        duel.Run((kernels, on) =>
        {
            kernels.CrossEntropy(n, k, on(z)!, on(labels)!, on(values)!);
            kernels.CrossEntropyGradient(n, k, on(z)!, on(labels)!, Coefficient, false, on(stored)!);
            kernels.CrossEntropyGradient(n, k, on(z)!, on(labels)!, Coefficient, true, on(added)!);
        });
        Check(duel, values, stored, added);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Kullback_Leibler(int n, int k, double size)
    {
        using var duel = new Duel(fixture);
        Pair t = duel.Plain(new Shape(n, k), 1, -size, size), z = duel.Plain(new Shape(n, k), 2, -size, size);
        Pair values = duel.Plain(new Shape(1, n), 3), dz = duel.Plain(new Shape(n, k), 4), dt = duel.Plain(new Shape(n, k), 5);
        Pair moreZ = duel.Plain(new Shape(n, k), 6), moreT = duel.Plain(new Shape(n, k), 7);
        duel.Run((kernels, on) =>
        {
            kernels.KlDivergence(n, k, on(t)!, on(z)!, on(values)!);
            kernels.KlDivergenceGradient(n, k, on(t)!, on(z)!, Coefficient, false, on(dz)!);
            kernels.KlDivergenceGradient(n, k, on(t)!, on(z)!, Coefficient, true, on(moreZ)!);
            kernels.KlDivergenceTargetGradient(n, k, on(t)!, on(z)!, Coefficient, false, on(dt)!);
            kernels.KlDivergenceTargetGradient(n, k, on(t)!, on(z)!, Coefficient, true, on(moreT)!);
        });
        Check(duel, values, dz, dt, moreZ, moreT);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Squared_error(int n, int k, double size)
    {
        using var duel = new Duel(fixture);
        Pair a = duel.Plain(new Shape(n, k), 1, -size, size), b = duel.Plain(new Shape(n, k), 2, -size, size);
        Pair values = duel.Plain(new Shape(1, n), 3), stored = duel.Plain(new Shape(n, k), 4), added = duel.Plain(new Shape(n, k), 5);
        duel.Run((kernels, on) =>
        {
            kernels.MeanSquaredError(n, k, on(a)!, on(b)!, on(values)!);
            kernels.MeanSquaredErrorGradient(n, k, on(a)!, on(b)!, Coefficient, false, on(stored)!);
            kernels.MeanSquaredErrorGradient(n, k, on(a)!, on(b)!, Coefficient, true, on(added)!);
        });
        Check(duel, values, stored, added);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Perception_alone_and_fused(int n, int k, double size)
    {
        const float alpha = 0.3f, factor = 2.5f, lambda = 0.7f;
        using var duel = new Duel(fixture);
        Pair[] z = [.. Enumerable.Range(1, 3).Select(seed => duel.Plain(new Shape(n, k), seed, -size, size))];
        Pair[] d = [.. Enumerable.Range(4, 3).Select(seed => duel.Plain(new Shape(n, k), seed))];
        Pair[] fused = [.. Enumerable.Range(7, 3).Select(seed => duel.Plain(new Shape(n, k), seed))];
        Pair labels = Labels(duel, n, k), values = duel.Plain(new Shape(1, n), 10), both = duel.Plain(new Shape(2, n), 11);
        duel.Run((kernels, on) =>
        {
            var logits = new PerceptionLogits(on(z[0])!, on(z[1])!, on(z[2])!);
            kernels.Perception(n, k, logits, alpha, factor, on(values)!);
            kernels.PerceptionGradient(n, k, logits, alpha, Coefficient, new PerceptionGradients(on(d[0])!, on(d[1])!, on(d[2])!, true, false, true));
            kernels.RpatLoss(n, k, logits, on(labels)!, alpha, factor, on(both)!);
            kernels.RpatLossGradient(n, k, logits, on(labels)!, alpha, Coefficient, lambda * factor,
                new PerceptionGradients(on(fused[0])!, on(fused[1])!, on(fused[2])!, false, true, false));
        });
        Check(duel, [values, both, .. d, .. fused]);
    }

    private static Pair Labels(Duel duel, int n, int k) => duel.Labels([.. Enumerable.Range(0, n).Select(i => (7 * i + 1) % k)]);

    private static void Check(Duel duel, params Pair[] results)
    {
        for (int i = 0; i < results.Length; i++) duel.Check(results[i], $"result {i}");
    }
}
