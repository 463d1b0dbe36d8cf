namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// How a convolution's results reach memory: y = [d·]acc [+ add], where d is the derivative of a constant view (an attack's gradient on its
/// way through batch norm and ReLU) and add is a residual or the gradient that is accumulated. Large results use streaming stores: the
/// caches would fetch each line before it is overwritten.
/// </summary>
internal readonly unsafe struct Epilogue(float* y, float* add, Affine through, long floats = 0)
{
    private const long LeastStreamed = (8 << 20) / sizeof(float);

    private readonly float* _y = y;
    private readonly float* _add = add;
    private readonly Affine _through = through;

    /// <summary>Destination of the results.</summary>
    public float* Y => _y;

    /// <summary>Whether the result is added to the destination.</summary>
    public bool InPlace => _add == _y;

    /// <summary>Whether results bypass the caches, so that readers find them in memory.</summary>
    public bool Streams { get; } = add != y && floats >= LeastStreamed;

    /// <summary>Whether a pixel may be stored twice: nothing is added to itself, and the reduction has one K block.</summary>
    public bool MayStoreTwice(in KBlocks parts) => _add != _y && parts.Count <= 1;

    /// <summary>Whether a tile may store, or add, its sums itself.</summary>
    public bool TileStores => _through.Scale == null && (_add == null || _add == _y);

    /// <summary>Activations that are read while storing, in y's layout, or null.</summary>
    public float* Through => _through.Relu ? _through.Data : null;

    /// <summary>Another tensor to add, in y's layout, or null.</summary>
    public float* Add => _add == _y ? null : _add;

    /// <summary>Call at the end of an item: fences streamed stores before completion is published.</summary>
    public void Fence()
    {
        if (Streams && Sse.IsSupported) Sse.StoreFence();
    }

    /// <summary>Whether storing reads cache lines: of the result, or of a tensor that is added or passed through.</summary>
    public bool ReadsLines => !Streams || Add != null || Through != null;

    /// <summary>Stores a strip of pixels of one channel block.</summary>
    /// <param name="offset">Offset of the first pixel in y.</param>
    /// <param name="step">Distance between pixels in y.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* acc, nint accStep, int block, nint offset, nint step, int count)
    {
        if (_through.Scale != null) StoreThrough(acc, accStep, block, offset, step, count);
        else if (_add != null) StoreAdd(acc, accStep, offset, step, count);
        else StorePlain(acc, accStep, offset, step, count);
    }

    private void StorePlain(float* acc, nint accStep, nint offset, nint step, int count)
    {
        for (float* y = _y + offset; count > 0; count--, acc += accStep, y += step)
            Put(Vector512.Load(acc), y);
    }

    private void StoreAdd(float* acc, nint accStep, nint offset, nint step, int count)
    {
        for (; count > 0; count--, acc += accStep, offset += step)
            Put(Vector512.Load(acc) + Vector512.Load(_add + offset), _y + offset);
    }

    private void StoreThrough(float* acc, nint accStep, int block, nint offset, nint step, int count)
    {
        Vec scale = _through.ScaleOf(block), shift = _through.ShiftOf(block);
        for (; count > 0; count--, acc += accStep, offset += step)
        {
            Vec v = Vector512.Load(acc) * scale;
            if (_through.Relu)
                v &= Vector512.GreaterThan(Vector512.MultiplyAddEstimate(Vector512.Load(_through.Data + offset), scale, shift), Vec.Zero);
            if (_add != null) v += Vector512.Load(_add + offset);
            Put(v, _y + offset);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(Vec value, float* at)
    {
        if (Streams) value.StoreAlignedNonTemporal(at);
        else value.Store(at);
    }
}
