namespace Rpat.Benchmarks;

/// <summary>The size of an op that a suite measures: what a call must at least do, whatever the kernel does.</summary>
public interface IWorkSize
{
    /// <summary>Floating-point operations of one call by the plain method; 0 where memory is what counts.</summary>
    double Flops { get; }

    /// <summary>Bytes of the op's main tensor.</summary>
    double Bytes { get; }
}

/// <summary>How often a benchmark must at least move the main tensor through memory: every operand read once, the result written once.</summary>
/// <param name="read">Tensors of the main size that are read.</param>
/// <param name="written">Tensors of the main size that are written.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MovesAttribute(double read, double written) : Attribute
{
    /// <summary>Passes over the main tensor.</summary>
    public double Passes => read + written;
}

/// <summary>A tensor's size, written as <c>64x64x32x32</c>; activations, images, logits or a stretch of parameters.</summary>
public sealed record TensorSize(int N, int C, int H = 1, int W = 1) : IWorkSize
{
    /// <summary>PreActResNet-18's activations at batch 64, then the quick recipe's largest and smallest.</summary>
    public static IReadOnlyList<TensorSize> Activations { get; } =
        [new(64, 64, 32, 32), new(64, 128, 16, 16), new(64, 256, 8, 8), new(64, 512, 4, 4), new(64, 16, 28, 28), new(64, 128, 4, 4)];

    /// <summary>Batches of CIFAR, Tiny-ImageNet and Fashion-MNIST images.</summary>
    public static IReadOnlyList<TensorSize> Images { get; } = [new(64, 3, 32, 32), new(64, 3, 64, 64), new(64, 1, 28, 28)];

    /// <summary>Logits of CIFAR-10, CIFAR-100 and Tiny-ImageNet.</summary>
    public static IReadOnlyList<TensorSize> Logits { get; } = [new(64, 10), new(64, 100), new(64, 200)];

    /// <summary>Parameters of PreActResNet-18 and of the quick recipe's net.</summary>
    public static IReadOnlyList<TensorSize> Parameters { get; } = [new(1, 11_172_170), new(1, 308_090)];

    /// <inheritdoc/>
    public double Flops => 0;

    /// <inheritdoc/>
    public double Bytes => 4.0 * N * C * H * W;

    /// <inheritdoc/>
    public override string ToString() => H * W == 1 ? $"{N}x{C}" : $"{N}x{C}x{H}x{W}";
}
