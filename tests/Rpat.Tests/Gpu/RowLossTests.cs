using Rpat.Engine;
using Rpat.Robust.Losses;

namespace Rpat.Tests.Gpu;

/// <summary>
/// Every loss of logits on the GPU, of few and of many classes, with labels, weights and further rows, stored and added, at ordinary
/// logits and at logits at which probabilities underflow.
/// </summary>
[Collection(GpuCollection.Name)]
[Covers(nameof(IRowLossKernels.RowLoss), nameof(IRowLossKernels.RowLossGradient))]
public class RowLossTests(GpuFixture fixture)
{
    public static TheoryData<int, int, double> Sizes => new() { { 3, 2, 1 }, { 5, 10, 4 }, { 2, 33, 100 }, { 2, 100, 1000 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void All_losses(int n, int k, double size)
    {
        Check(n, k, size, new CrossEntropy());
        Check(n, k, size, new SoftCrossEntropy());
        Check(n, k, size, new KlDivergence(1));
        Check(n, k, size, new KlDivergence(0.5f, 4, crossEntropy: true));
        Check(n, k, size, new Complement());
        Check(n, k, size, new OneVsRest());
        Check(n, k, size, new SoftMargin());
        Check(n, k, size, new SquaredProbability());
        Check(n, k, size, new Margin());
        Check(n, k, size, new Dlr());
        Check(n, k, size, new Dlr(target: 1));
        Check(n, k, size, new MartDivergence());
        Check(n, k, size, new JensenShannon(0.5f));
        Check(n, k, size, new PerceptionLoss(0.3f, PerceptionForm.DifferenceQuotient));
        Check(n, k, size, new RpatLoss(0.7f, new PerceptionLoss(0.3f)), parts: 2);
    }

    [Fact]
    public void One_class_is_a_row()
    {
        Check(3, 1, 1, new CrossEntropy());
        Check(3, 1, 1, new RpatLoss(0.7f, new PerceptionLoss(0.3f)), parts: 2);
    }

    internal void Check<TLoss>(int n, int k, double size, TLoss loss, int parts = 1) where TLoss : struct, IRowLoss
    {
        using var duel = new Duel(fixture);
        Pair z = duel.Plain(new Shape(n, k), 1, -size, size), second = duel.Plain(new Shape(n + 1, k), 2, 0, 1), third = duel.Plain(new Shape(n, k), 3, -size, size);
        Pair labels = duel.Labels([.. Enumerable.Range(0, n).Select(i => (7 * i + 1) % k)]), weights = duel.Plain(new Shape(1, n), 4, 0, 2);
        Pair values = duel.Plain(new Shape(parts, n), 5), dz = duel.Plain(new Shape(n, k), 6), dSecond = duel.Plain(new Shape(n + 1, k), 7);
        Pair dThird = duel.Plain(new Shape(n, k), 8), alone = duel.Plain(new Shape(n, k), 9);
        duel.Run((kernels, on) =>
        {
            var rows = new RowLossOperands(n, k, parts, on(z)!, on(second)!, 1, on(third)!, on(labels)!, on(weights)!);
            kernels.RowLoss(loss, rows, on(values)!);
            kernels.RowLossGradient(loss, rows, 0.37f, new(on(dz)!, true), new(on(dSecond)!, false), new(on(dThird)!, true));
            kernels.RowLossGradient(loss, rows with { Weights = null }, 0.37f, new(on(alone)!, false), default, default);
        });
        foreach (var pair in new[] { values, dz, dSecond, dThird, alone }) duel.Check(pair, typeof(TLoss).Name);
    }
}
