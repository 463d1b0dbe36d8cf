using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>A classifier's last layer, as <c>batch:features-classes</c>.</summary>
public sealed record LinearSize(int N, int C, int K) : IWorkSize
{
    /// <inheritdoc/>
    public double Flops => 2.0 * N * C * K;

    /// <inheritdoc/>
    public double Bytes => 4.0 * (N * C + K * C + N * K);

    /// <inheritdoc/>
    public override string ToString() => $"{N}:{C}-{K}";
}

/// <summary>The fully connected layer in its three passes.</summary>
[BenchmarkCategory("gemm")]
public class LinearBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _w = null!;
    private DeviceBuffer _bias = null!;
    private DeviceBuffer _y = null!;

    /// <summary>PreActResNet-18's and WideResNet-34-10's last layers for CIFAR-10, CIFAR-100 and Tiny-ImageNet.</summary>
    public static IEnumerable<LinearSize> Sizes => [new(64, 512, 10), new(64, 512, 100), new(64, 640, 200)];

    /// <summary>The layer.</summary>
    [ParamsSource(nameof(Sizes))]
    public LinearSize Size { get; set; } = new(64, 512, 10);

    /// <summary>y, the baseline of the gradients.</summary>
    [Benchmark(Baseline = true), Moves(1, 0)]
    public void Forward() => Kernels.LinearForward(Size.N, Size.C, Size.K, _x, _w, _bias, _y);

    /// <summary>dx.</summary>
    [Benchmark, Moves(1, 0)]
    public void InputGradient() => Kernels.LinearInputGradient(Size.N, Size.C, Size.K, _y, _w, accumulate: false, _x);

    /// <summary>dw and dbias.</summary>
    [Benchmark, Moves(1, 0)]
    public void WeightGradient() => Kernels.LinearWeightGradient(Size.N, Size.C, Size.K, _x, _y, accumulate: false, _w, _bias);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        (_x, _w) = (Filled((long)Size.N * Size.C), Filled((long)Size.K * Size.C));
        (_bias, _y) = (Filled(Size.K), Filled((long)Size.N * Size.K));
    }
}
