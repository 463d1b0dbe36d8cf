namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The rows of an activation that a run of tiles covers, returned in ranges of consecutive cache lines, so that the products, which need no
/// memory bandwidth themselves, can prefetch what the transforms before and after them read. Purely a hint.
/// </summary>
/// <param name="data">Blocked activations, or null for nothing.</param>
internal unsafe struct WinogradPrefetch(float* data, WinogradShape shape, int blocks, int first, int count, int border)
{
    private readonly int _end = data == null ? first : Math.Min(first + count, shape.TileCount);
    private int _tile = first; // first tile of the image whose rows come next
    private int _block = -1;
    private float* _line;
    private int _lines;

    /// <summary>The next lines, at most that many used; null when none are left.</summary>
    public float* Next(int lines)
    {
        if (_lines <= 0 && !MoveOn()) return null;
        float* line = _line;
        _line += lines * Blocks.Size;
        _lines -= lines;
        return line;
    }

    private bool MoveOn()
    {
        int perImage = shape.TilesY * shape.TilesX;
        if (++_block == blocks) (_block, _tile) = (0, (_tile / perImage + 1) * perImage);
        if (_tile >= _end) return false;
        int last = Math.Min(_end - 1, _tile / perImage * perImage + perImage - 1);
        int top = Math.Max(0, shape.OriginOf(_tile).Y - border), bottom = Math.Min(shape.H, shape.OriginOf(last).Y + 4 + border);
        _line = data + (((long)shape.OriginOf(_tile).N * blocks + _block) * shape.H + top) * shape.W * Blocks.Size;
        _lines = (bottom - top) * shape.W;
        return true;
    }
}
