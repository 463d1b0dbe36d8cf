using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Loss terms of one row of logits, or of two.</summary>
[BenchmarkCategory("loss")]
public class RowTermsBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private RowTermOperands _rows;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Logits;

    /// <summary>Images × classes.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Logits[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>MART's weighted divergence of each image.</summary>
    [Benchmark, Moves(2, 0)]
    public void Mart() => Kernels.RowTerms(new MartRowTerm(), _rows, _y);

    /// <summary>Its gradient of the logits.</summary>
    [Benchmark, Moves(2, 1)]
    public void MartGradient() => Gradient(new MartRowTerm());

    /// <summary>Gradient of one against the rest.</summary>
    [Benchmark, Moves(1, 1)]
    public void OneVsRestGradient() => Gradient(new OneVsRestRowTerm());

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C;
        (_x, _y) = (Filled(count), Filled(count));
        _rows = new RowTermOperands(Size.N, Size.C, _x, Filled(count), 0, Labels(Size.N, Size.C), Filled(Size.N));
    }

    private void Gradient<TTerm>(TTerm term) where TTerm : struct, IRowTerm =>
        Kernels.RowTermsGradient(term, _rows, 1f / Size.N, new RowTermGradients(_y, false, null, false));
}
