namespace Rpat.Engine.Devices;

/// <summary>A function of two numbers and its derivatives; a struct of plain numbers, as <see cref="IElementwise"/>.</summary>
public interface IBinary
{
    /// <summary>f(a, b).</summary>
    T Value<T>(T a, T b) where T : struct, IReal<T>;

    /// <summary>∂f/∂a.</summary>
    T ByA<T>(T a, T b) where T : struct, IReal<T>;

    /// <summary>∂f/∂b.</summary>
    T ByB<T>(T a, T b) where T : struct, IReal<T>;
}

/// <summary>
/// Size and layout of a, and how b is spread over it: b has a's size and layout, or it is plain and has one value per sample, per channel,
/// per both, or one in all, at n·SampleStride + c·ChannelStride.
/// </summary>
public readonly record struct BinaryShape(Shape Shape, Layout Layout, bool IsSpread = false, int SampleStride = 0, int ChannelStride = 0)
{
    /// <summary>Values of a spread b.</summary>
    public int SpreadCount => (SampleStride == 0 ? 1 : Shape.N) * (ChannelStride == 0 ? 1 : Shape.C);
}

/// <summary>The kernels of every function of two tensors: a new one is one struct and needs no new kernel.</summary>
public interface IBinaryKernels
{
    /// <summary>y = f(a, b); channels beyond C stay zero.</summary>
    void Binary<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer y) where TOp : struct, IBinary;

    /// <summary>da (+)= ∂f/∂a·dy, or db (+)= Σ ∂f/∂b·dy over all values that b is spread over.</summary>
    void BinaryGradient<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer dy, bool byB, bool accumulate,
        DeviceBuffer to)
        where TOp : struct, IBinary;
}
