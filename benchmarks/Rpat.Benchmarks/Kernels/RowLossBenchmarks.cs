using BenchmarkDotNet.Attributes;
using Rpat.Engine;
using Rpat.Robust.Losses;

namespace Rpat.Benchmarks;

/// <summary>Losses of one, two and three rows of logits; RPAT's cross-entropy and term in one kernel, against the two apart.</summary>
[BenchmarkCategory("loss")]
public class RowLossBenchmarks : KernelSuite
{
    private static readonly PerceptionLoss _perception = new(0.5f);
    private static readonly RpatLoss _rpat = new(1, _perception);
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private RowGradient[] _d = [];
    private RowLossOperands _rows;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Logits;

    /// <summary>Images × classes.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Logits[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Cross-entropy of each image.</summary>
    [Benchmark, Moves(1, 0)]
    public void CrossEntropy() => Kernels.RowLoss(new CrossEntropy(), _rows, _y);

    /// <summary>Its gradient of the logits.</summary>
    [Benchmark, Moves(1, 1)]
    public void CrossEntropyGradient() => Gradient(new CrossEntropy());

    /// <summary>Kullback–Leibler divergence of each image.</summary>
    [Benchmark, Moves(2, 0)]
    public void Kl() => Kernels.RowLoss(new KlDivergence(1), _rows, _y);

    /// <summary>Both its gradients.</summary>
    [Benchmark, Moves(2, 2)]
    public void KlGradients() => Kernels.RowLossGradient(new KlDivergence(1), _rows, 1f / Size.N, _d[0], _d[1], default);

    /// <summary>MART's weighted divergence of each image.</summary>
    [Benchmark, Moves(2, 0)]
    public void Mart() => Kernels.RowLoss(new MartDivergence(), _rows, _y);

    /// <summary>Its gradient of the logits.</summary>
    [Benchmark, Moves(2, 1)]
    public void MartGradient() => Gradient(new MartDivergence());

    /// <summary>Gradient of one against the rest.</summary>
    [Benchmark, Moves(1, 1)]
    public void OneVsRestGradient() => Gradient(new OneVsRest());

    /// <summary>RPAT's cross-entropy and term one after the other.</summary>
    [Benchmark, Moves(4, 0)]
    public void RpatApart()
    {
        Kernels.RowLoss(new CrossEntropy(), _rows, _y);
        Kernels.RowLoss(_perception, _rows, _y);
    }

    /// <summary>Both in one pass.</summary>
    [Benchmark, Moves(3, 0)]
    public void RpatFused() => Kernels.RowLoss(_rpat, _rows with { Parts = 2 }, _y);

    /// <summary>All three gradients of both in one pass.</summary>
    [Benchmark, Moves(3, 3)]
    public void RpatFusedGradients() => Kernels.RowLossGradient(_rpat, _rows, 1f / Size.N, _d[0], _d[1], _d[2]);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C;
        (_x, _y) = (Filled(count), Filled(Math.Max(count, 2L * Size.N)));
        _d = [.. Enumerable.Range(0, 3).Select(_ => new RowGradient(Filled(count), false))];
        _rows = new RowLossOperands(Size.N, Size.C, 1, _x, Filled(count), 0, Filled(count), Labels(Size.N, Size.C), Filled(Size.N));
    }

    private void Gradient<TLoss>(TLoss loss) where TLoss : struct, IRowLoss =>
        Kernels.RowLossGradient(loss, _rows, 1f / Size.N, _d[0], default, default);
}
