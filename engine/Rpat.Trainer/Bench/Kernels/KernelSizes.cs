namespace Rpat.Trainer.Bench.Kernels;

/// <summary>A convolution layer.</summary>
/// <param name="C">Input channels; 3 means images.</param>
/// <param name="Side">Rows and columns of its input.</param>
/// <param name="K">Filters.</param>
/// <param name="R">Kernel size.</param>
/// <param name="Stride">Step.</param>
internal readonly record struct KernelLayer(int C, int Side, int K, int R, int Stride);

/// <summary>The sizes at which kernels are tested.</summary>
internal sealed record KernelSizes
{
    /// <summary>Images.</summary>
    public required int Batch { get; init; }

    /// <summary>Convolutions: by default each kind of PreActResNet-18.</summary>
    public IReadOnlyList<KernelLayer> Layers { get; init; } =
        [new(3, 32, 64, 3, 1), new(64, 32, 64, 3, 1), new(64, 32, 128, 3, 2), new(64, 32, 128, 1, 2), new(128, 16, 128, 3, 1), new(256, 8, 256, 3, 1), new(512, 4, 512, 3, 1)];

    /// <summary>Channels and side of the maps that everything else runs on.</summary>
    public (int Channels, int Side) Map { get; init; } = (64, 32);

    /// <summary>Channels and side of a depthwise layer, by default of MobileNetV2.</summary>
    public (int Channels, int Side) Depthwise { get; init; } = (144, 16);

    /// <summary>Side of images of three channels.</summary>
    public int ImageSide { get; init; } = 32;

    /// <summary>Inputs of the linear layer.</summary>
    public int Features { get; init; } = 512;

    /// <summary>Trained values.</summary>
    public int Parameters { get; init; } = 1 << 23;

    /// <summary>Classes.</summary>
    public int Classes => 10;

    /// <summary>A batch of images.</summary>
    public Shape Images => new(Batch, 3, ImageSide, ImageSide);
}
