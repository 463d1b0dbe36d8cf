namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Input gradient of the first layer: few channels, so the vector lanes run over output pixels. A product over the filters gives each
/// output pixel's contributions to the C·R·R values of its window, <c>[channel, r, s][pixel]</c>; then every input pixel gathers its
/// contributions. The result is plain. One item per image.
/// </summary>
internal readonly unsafe struct StemGradientJob(StemTile.Products products, ConvShape s, float* dy, float* w, Affine through, float* add,
    float* dx) : IJob
{
    private readonly int _blocks = Blocks.Count(s.K);
    private readonly int _taps = s.R * s.R;
    private readonly int _area = s.P * s.Q;
    private readonly int _border = IsSame(s) ? Rounded(s.Padding * (s.Q + 1)) : 0; // pixels that taps reach before and after the map
    private readonly int _pitch = Rounded(s.P * s.Q) + (IsSame(s) ? 2 * Rounded(s.Padding * (s.Q + 1)) : 0) + Blocks.Size;

    /// <summary>Columns of the product, (channel, r, s), padded to fill the last tile.</summary>
    public static int Columns(in ConvShape s) => (s.C * s.R * s.R + StemTile.Columns - 1) / StemTile.Columns * StemTile.Columns;

    public void Run(int index, Worker worker)
    {
        float* shares = worker.Scratch(1, (long)Columns(s) * _pitch);
        Product(dy + (long)index * _blocks * _area * Blocks.Size, worker.Scratch(0, _blocks * Blocks.Size * StemTile.Width), shares);
        if (IsSame(s)) GatherFlat(index, shares, (nint*)worker.Scratch(2, 2L * s.C * _taps));
        else GatherRows(index, shares, worker.Scratch(2, s.Input.W));
    }

    /// <summary>Whether the map has the input's size: then a tap's distance is the same for every pixel.</summary>
    private static bool IsSame(in ConvShape s) => s.Stride == 1 && s.Trailing == 0 && s.P == s.Input.H && s.Q == s.Input.W;

    private static int Rounded(int count) => (count + Blocks.Size - 1) / Blocks.Size * Blocks.Size;

    /// <summary>All pixels of an image times all columns, one tile at a time.</summary>
    private void Product(float* image, float* planes, float* shares)
    {
        for (int pixel = 0; pixel < _area; pixel += StemTile.Width)
        {
            int count = Math.Min(StemTile.Width, _area - pixel);
            for (int b = 0; b < _blocks; b++)
                PlanesOf.Tile(image + ((long)b * _area + pixel) * Blocks.Size, count, planes + b * Blocks.Size * StemTile.Width);
            for (int column = 0; column < s.C * _taps; column += StemTile.Columns)
            {
                float* to = shares + (long)column * _pitch + _border + pixel, b = w + (long)column * _blocks * Blocks.Size;
                int next = pixel + StemTile.Width + column / StemTile.Columns % StemTile.Vectors * Blocks.Size;
                var ahead = new StemTile.PrefetchLines(image + (next + Blocks.Size <= _area ? next : 0) * Blocks.Size, _area * Blocks.Size);
                products.Run(planes, _blocks, b, to, _pitch, (count + Blocks.Size - 1) / Blocks.Size, ahead);
            }
        }
    }

    /// <summary>Adds the contributions at fixed distances, 16 pixels at a time and across the ends of rows.</summary>
    private void GatherFlat(int n, float* shares, nint* from)
    {
        for (int i = 0; i < s.C * _taps; i++)
        {
            float* column = shares + (long)i * _pitch + _border;
            int x = s.Padding - i % s.R;
            ClearAround(column, x);
            from[i] = (nint)(column + (s.Padding - i % _taps / s.R) * s.Q + x);
        }
        for (int c = 0; c < s.C; c++)
            for (int i = 0; i < _area; i += Blocks.Size)
            {
                Vec sum = Vec.Zero;
                for (int tap = 0; tap < _taps; tap++) sum += Vector512.Load((float*)from[c * _taps + tap] + i);
                Store(sum, c, ((long)n * s.C + c) * _area + i, _area - i);
            }
    }

    /// <summary>
    /// Writes zeros where a tap shifted by <paramref name="x"/> pixels reads outside the map: past the ends, and where it would read a
    /// pixel of another row.
    /// </summary>
    private void ClearAround(float* column, int x)
    {
        new Span<float>(column - _border, _border).Clear();
        new Span<float>(column + _area, _pitch - _border - _area).Clear();
        int first = x > 0 ? 0 : s.Q + x, count = Math.Min(Math.Abs(x), s.Q);
        for (float* row = column + Math.Max(0, first); row < column + _area; row += s.Q)
            for (int i = 0; i < count; i++)
                row[i] = 0;
    }

    private void Store(Vec sum, int channel, long at, int left)
    {
        if (through.Scale != null) sum *= Vector512.Create(through.Scale[channel]);
        if (add != null) sum += Lanes.Load(add + at, left);
        Lanes.Store(sum, dx + at, left);
    }

    /// <summary>Gathers for any stride and padding, one input row at a time.</summary>
    private void GatherRows(int n, float* shares, float* row)
    {
        for (int c = 0; c < s.C; c++)
            for (int y = 0; y < s.Input.H; y++)
            {
                new Span<float>(row, s.Input.W).Clear();
                for (int r = 0; r < s.R; r++)
                {
                    int from = y + s.Padding - r;
                    if (from >= 0 && from % s.Stride == 0 && from / s.Stride < s.P)
                        AddRow(shares + ((long)c * _taps + r * s.R) * _pitch + from / s.Stride * s.Q, row);
                }
                StoreRow(row, c, (((long)n * s.C + c) * s.Input.H + y) * s.Input.W);
            }
    }

    private void AddRow(float* shares, float* row)
    {
        for (int tap = 0; tap < s.R; tap++, shares += _pitch)
            for (int x = 0, to = tap - s.Padding; x < s.Q; x++, to += s.Stride)
                if (to >= 0 && to < s.Input.W) row[to] += shares[x];
    }

    private void StoreRow(float* row, int channel, long at)
    {
        float scale = through.Scale == null ? 1 : through.Scale[channel];
        for (int x = 0; x < s.Input.W; x++) dx[at + x] = scale * row[x] + (add == null ? 0 : add[at + x]);
    }
}
