namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The rows of an activation that a run of tiles covers, returned in ranges of consecutive cache lines, so that the products, which need no
/// memory bandwidth themselves, can prefetch what the transforms before and after them read. Purely a hint.
/// </summary>
/// <param name="data">Blocked activations, or null for nothing.</param>
internal unsafe struct WinogradPrefetch(float* data, WinogradShape shape, WinogradMap map, (int First, int End) blocks, int first,
    int count)
{
    private readonly int _end = data == null ? first : Math.Min(first + count, shape.TileCount);
    private int _tile = first; // first tile of the image whose rows come next
    private int _block = blocks.First - 1;
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
        if (++_block == blocks.End) (_block, _tile) = (blocks.First, (_tile / perImage + 1) * perImage);
        if (_tile >= _end) return false;
        int last = Math.Min(_end - 1, _tile / perImage * perImage + perImage - 1);
        int top = Math.Max(0, map.First(shape.Place(_tile).Y)), bottom = Math.Min(map.H, map.First(shape.Place(last).Y) + map.Side);
        _line = data + (((long)shape.Place(_tile).N * map.Blocks + _block) * map.H + top) * map.W * Blocks.Size;
        _lines = (bottom - top) * map.W;
        return true;
    }
}
