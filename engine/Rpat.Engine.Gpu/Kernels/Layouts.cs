using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Conversion between plain NCHW, which users see, and activations, NHWC with channels padded to quads.</summary>
internal sealed partial class GpuKernels<S>
{
    public override long ActivationWords(Shape s) => Countable(s, 4 * ActivationQuads(s)) / 4 * S.Words;

    public override void Pack(Shape s, ArrayView<float> plain, DeviceBuffer to) => Pack(s, plain, default, to.Stored<S>());

    public override void Unpack(Shape s, DeviceBuffer from, ArrayView<float> plain) =>
        ForEach(ActivationQuads(s), new UnpackQuad<S>(from.Stored<S>(), s.C, s.Area, ChannelQuads(s.C), default, default, 0, plain));

    private void Pack(Shape s, ArrayView<float> plain, Map map, Quads<S> to) =>
        ForEach(ActivationQuads(s), new PackQuad<S>(plain, s.C, s.Area, ChannelQuads(s.C), map, to));

    /// <summary>Images with their view applied, as an activation that lives for one op.</summary>
    private Quads<S> PackImage(Shape s, in Operand x)
    {
        var packed = new Quads<S>(_scratch.Words(ScratchSlot.Image, ActivationWords(s)));
        Pack(s, x.Data.Floats(), x.Map(), packed);
        return packed;
    }

    /// <summary>dx (+)= d·gradient; the gradient has the order of an activation in float32, and dx is plain.</summary>
    private void UnpackGradient(Shape s, Quads<F32> gradient, in Operand through, bool accumulate, DeviceBuffer dx) =>
        ForEach(ActivationQuads(s), new UnpackQuad<F32>(
            gradient, s.C, s.Area, ChannelQuads(s.C), through.Map(), ((DeviceBuffer?)through.Data).FloatsOrNone(), accumulate ? 1 : 0,
            dx.Floats()));
}

/// <summary>A pixel's quad of channels, read from up to four planes; adjacent threads read adjacent pixels.</summary>
internal readonly struct PackQuad<S>(ArrayView<float> plain, int channels, int area, int quads, Map map, Quads<S> to) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        var at = new PlaneQuad(Grid.IdxX * Group.DimX + Group.IdxX, area, quads);
        if (at.Packed >= to.Count) return;
        to.Store(at.Packed, at.Mask(map.Apply(at.Load(plain, channels), at.Quad), channels));
    }
}

/// <summary>
/// The reverse of <see cref="PackQuad{S}"/>, optionally times the derivative of a view of the plain values, and optionally added to the
/// destination.
/// </summary>
internal readonly struct UnpackQuad<S>(
    Quads<S> from, int channels, int area, int quads, Map through, ArrayView<float> values, int accumulate, ArrayView<float> plain)
        : IKernel where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        var at = new PlaneQuad(Grid.IdxX * Group.DimX + Group.IdxX, area, quads);
        if (at.Packed >= from.Count) return;
        V4 stored = from.Load(at.Packed);
        V4 v = through.Backward(stored, through.NeedsValue ? at.Load(values, channels) : stored, at.Quad);
        at.Store(plain, channels, accumulate != 0 ? v + at.Load(plain, channels) : v);
    }
}

/// <summary>A quad of an activation and the four plain values that it holds; adjacent threads take adjacent pixels of a plane.</summary>
internal readonly struct PlaneQuad
{
    private readonly int _plane;
    private readonly int _pixel;
    private readonly int _image;
    private readonly int _area;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PlaneQuad(int thread, int area, int quads)
    {
        _plane = thread / area;
        _pixel = thread - _plane * area;
        _area = area;
        _image = _plane / quads;
        Quad = _plane - _image * quads;
        Packed = (_image * area + _pixel) * quads + Quad;
    }

    /// <summary>Quad of channels.</summary>
    public readonly int Quad;

    /// <summary>Index in the activation.</summary>
    public readonly int Packed;

    /// <summary>The plain values; zero in padding channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Load(ArrayView<float> plain, int channels)
    {
        int c = 4 * Quad, i = (_image * channels + c) * _area + _pixel;
        return new V4(
            plain[i], c + 1 < channels ? plain[i + _area] : 0,
            c + 2 < channels ? plain[i + 2 * _area] : 0, c + 3 < channels ? plain[i + 3 * _area] : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<float> plain, int channels, V4 v)
    {
        int c = 4 * Quad, i = (_image * channels + c) * _area + _pixel;
        plain[i] = v.X;
        if (c + 1 < channels) plain[i + _area] = v.Y;
        if (c + 2 < channels) plain[i + 2 * _area] = v.Z;
        if (c + 3 < channels) plain[i + 3 * _area] = v.W;
    }

    /// <summary>Zero in padding channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Mask(V4 v, int channels)
    {
        int left = channels - 4 * Quad;
        return new V4(v.X, left > 1 ? v.Y : 0, left > 2 ? v.Z : 0, left > 3 ? v.W : 0);
    }
}
