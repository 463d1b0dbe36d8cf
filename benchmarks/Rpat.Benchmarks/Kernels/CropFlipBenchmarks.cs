using BenchmarkDotNet.Attributes;
using Rpat.Engine;
using Rpat.Engine.Random;

namespace Rpat.Benchmarks;

/// <summary>Batches of augmented images from bytes on the device.</summary>
[BenchmarkCategory("images")]
public class CropFlipBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _pixels = null!;
    private int[] _indices = [];
    private CropFlipOf _how;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Images;

    /// <summary>Size of a batch of images.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Images[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Zero border of four pixels, crop, flip.</summary>
    [Benchmark, Moves(0.25, 1)]
    public void CropFlip() => Kernels.CropFlip(_how, _pixels, _indices, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C * Size.H * Size.W;
        (_x, _y, _pixels) = (Filled(count), Filled(count), Filled((count + 3) / 4));
        _indices = [.. Enumerable.Range(0, Size.N)];
        _how = new CropFlipOf(new Shape(1, Size.C, Size.H, Size.W), new AugmentOptions(4, true), new RandomKey(1, Purpose.Augment, 1, 0, 0, 0));
    }
}
