namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Direct convolution: rows of output pixels are tiles of a product whose reduction runs over (channel block, tap, channel).
/// Images are packed with their border into the worker's memory, a few at a time, so that weights are read once for all of them.
/// </summary>
internal sealed unsafe partial class CpuKernels
{
    private const int GroupBytes = 384 << 10; // packed images that stay in L2 beside a panel of weights

    private void DirectForward(in ConvShape s, in Operand x, float* filters, float* residual, float* y)
    {
        int group = GroupSize(s.Input.N, PackedFloats(s));
        _pool.Run(new DirectForwardJob(_tiles, s, new Affine(x), filters, new Epilogue(y, residual, default), group), (s.Input.N + group - 1) / group);
    }

    private void DirectInputGradient(in ConvShape s, float* dy, float* filters, in Affine through, float* add, float* dx)
    {
        var phases = StridePhases.Of(s);
        if (s.InputLayout == Layout.Plain)
        {
            _pool.Run(new StemGradientJob(s, phases, dy, filters, through, add, dx), s.Input.N);
            return;
        }
        int border = phases.Low + phases.Behind(s);
        int group = GroupSize(s.Input.N, (long)Blocks.Count(s.K) * (s.P + border) * (s.Q + border) * Blocks.Size);
        var job = new DirectInputGradientJob(_tiles, s, phases, dy, filters, new Epilogue(dx, add, through), group);
        _pool.Run(job, (s.Input.N + group - 1) / group);
    }

    private static long PackedFloats(in ConvShape s)
    {
        long pixels = (long)(s.Input.H + 2 * s.Padding) * (s.Input.W + 2 * s.Padding);
        return pixels * (s.InputLayout == Layout.Plain ? s.C : Blocks.Count(s.C) * Blocks.Size);
    }

    private int GroupSize(int n, long packedFloats)
    {
        long fit = Math.Max(1, GroupBytes / (packedFloats * sizeof(float)));
        return (int)Math.Min(fit, Math.Max(1, n / _pool.Threads));
    }
}

/// <summary>Runs a row of pixels through the tiles.</summary>
internal readonly unsafe struct RowOfTiles(Tile.Kernel[] tiles, float* scratch)
{
    /// <summary>
    /// c[x, column] for x in 0…width−1 and all columns of the panel, each tile handed to the epilogue as it is done.
    /// </summary>
    public void Run(float* a, nint aRow, nint* segment, int segments, int length, float* b, in Panel panel, int width,
        in Epilogue epilogue, nint offset, nint blockStep, nint pixelStep)
    {
        ref readonly var tile = ref Pick(tiles, panel.Blocks, width);
        int tileColumns = tile.Blocks * Blocks.Size;
        for (int j = 0; j < panel.Blocks; j += tile.Blocks)
            for (int x = 0; x < width; x += tile.Rows)
            {
                tile.Run(a + x * aRow, aRow, 1, segment, segments, length, b + j * Blocks.Size, panel.Columns, scratch, tileColumns, false);
                int count = Math.Min(tile.Rows, width - x);
                for (int i = 0; i < tile.Blocks; i++)
                    epilogue.Store(scratch + i * Blocks.Size, tileColumns, panel.Block + j + i, offset + (j + i) * blockStep + x * pixelStep, pixelStep, count);
            }
    }

    /// <summary>The tile that divides the panel and wastes the fewest rows; among equals the tallest.</summary>
    public static ref readonly Tile.Kernel Pick(Tile.Kernel[] tiles, int blocks, int width)
    {
        int best = -1, bestRows = int.MaxValue;
        for (int i = 0; i < tiles.Length; i++)
        {
            if (blocks % tiles[i].Blocks != 0 || tiles[i].Blocks * 2 < blocks) continue;
            int rows = (width + tiles[i].Rows - 1) / tiles[i].Rows * tiles[i].Rows;
            if (rows < bestRows || (rows == bestRows && tiles[i].Rows > tiles[best].Rows)) (best, bestRows) = (i, rows);
        }
        return ref tiles[best];
    }
}

/// <summary>Forward pass of a few images.</summary>
internal readonly unsafe struct DirectForwardJob(Tile.Kernel[] tiles, ConvShape s, Affine x, float* w, Epilogue epilogue, int group) : IJob
{
    private readonly int _cb = Blocks.Count(s.C);
    private readonly int _kb = Blocks.Count(s.K);
    private readonly int _height = s.Input.H + 2 * s.Padding;
    private readonly int _width = s.Input.W + 2 * s.Padding;

    private bool IsStem => s.InputLayout == Layout.Plain;
    private int PixelFloats => IsStem ? s.C : Blocks.Size;
    private long ImageFloats => (long)_height * _width * (IsStem ? s.C : _cb * Blocks.Size);

    public void Run(int index, Worker worker)
    {
        int first = index * group, count = Math.Min(group, s.Input.N - first);
        float* packed = worker.Scratch(0, group * ImageFloats + (long)Tile.SpareRows * s.Stride * PixelFloats);
        for (int i = 0; i < count; i++) Pack(first + i, packed + i * ImageFloats);
        int segments = IsStem ? s.R : _cb * s.R * s.R, length = IsStem ? s.R * s.C : Blocks.Size;
        nint* segment = (nint*)worker.Scratch(1, 2 * segments);
        FillSegments(segment);
        var rows = new RowOfTiles(tiles, worker.Scratch(2, Tile.MaxFloats));
        for (int block = 0; block < _kb;)
        {
            var panel = Columns.PanelOf(block, _kb);
            float* b = w + panel.Offset((long)segments * length);
            for (int i = 0; i < count; i++) Image(rows, packed + i * ImageFloats, first + i, segment, segments, length, b, panel);
            block += panel.Blocks;
        }
    }

    private void Image(in RowOfTiles rows, float* packed, int n, nint* segment, int segments, int length, float* b, in Panel panel)
    {
        nint map = (nint)s.P * s.Q * Blocks.Size;
        nint offset = ((nint)n * _kb + panel.Block) * map;
        for (int y = 0; y < s.P; y++)
        {
            float* a = packed + (long)y * s.Stride * _width * PixelFloats;
            rows.Run(a, s.Stride * PixelFloats, segment, segments, length, b, panel, s.Q, epilogue, offset, map, Blocks.Size);
            offset += s.Q * Blocks.Size;
        }
    }

    private void Pack(int n, float* to)
    {
        if (IsStem) PackImage.ChannelsLast(x, (long)n * s.Input.SampleCount, s.C, s.Input.H, s.Input.W, s.Padding, to);
        else PackImage.Blocked(x, (long)n * _cb * s.Input.Area * Blocks.Size, _cb, s.Input.H, s.Input.W, s.Padding, s.Padding, to);
    }

    /// <summary>Blocked: (channel block, r, s). Images: one segment a filter row, its taps and channels are contiguous.</summary>
    private void FillSegments(nint* segment)
    {
        if (IsStem)
        {
            for (int r = 0; r < s.R; r++) segment[r] = (nint)r * _width * s.C;
            return;
        }
        for (int b = 0; b < _cb; b++)
            for (int r = 0; r < s.R; r++)
                for (int t = 0; t < s.R; t++)
                    *segment++ = (((nint)b * _height + r) * _width + t) * Blocks.Size;
    }
}

/// <summary>Input gradient of a few images, one stride phase after another.</summary>
internal readonly unsafe struct DirectInputGradientJob(Tile.Kernel[] tiles, ConvShape s, StridePhases phases, float* dy, float* w,
    Epilogue epilogue, int group) : IJob
{
    private readonly int _cb = Blocks.Count(s.C);
    private readonly int _kb = Blocks.Count(s.K);
    private readonly int _behind = phases.Behind(s);
    private readonly int _height = s.P + phases.Low + phases.Behind(s);
    private readonly int _width = s.Q + phases.Low + phases.Behind(s);

    private long ImageFloats => (long)_kb * _height * _width * Blocks.Size;

    public void Run(int index, Worker worker)
    {
        int first = index * group, count = Math.Min(group, s.Input.N - first);
        float* packed = worker.Scratch(0, group * ImageFloats + PackImage.Slack);
        for (int i = 0; i < count; i++)
            PackImage.Blocked(new Affine(dy), (long)(first + i) * _kb * s.P * s.Q * Blocks.Size, _kb, s.P, s.Q, phases.Low, _behind, packed + i * ImageFloats);
        for (int block = 0; block < _cb;)
        {
            var panel = Columns.PanelOf(block, _cb);
            for (int i = 0; i < count; i++) Phases(worker, packed + i * ImageFloats, first + i, panel);
            block += panel.Blocks;
        }
    }

    private void Phases(Worker worker, float* packed, int n, in Panel panel)
    {
        nint* segment = (nint*)worker.Scratch(1, 2 * _kb * s.R * s.R);
        float* b = w + panel.Offset((long)s.R * s.R * _kb * Blocks.Size);
        foreach (var phase in phases.All)
        {
            int segments = FillSegments(phase, segment);
            Rows(worker, packed, n, panel, phase, segment, segments, b);
            b += (long)segments * Blocks.Size * panel.Columns;
        }
    }

    private void Rows(Worker worker, float* packed, int n, in Panel panel, StridePhases.Phase phase, nint* segment, int segments, float* b)
    {
        var rows = new RowOfTiles(tiles, worker.Scratch(2, Tile.MaxFloats));
        int width = (s.Input.W - phase.X + s.Stride - 1) / s.Stride;
        nint map = (nint)s.Input.Area * Blocks.Size;
        for (int i = 0; i * s.Stride + phase.Y < s.Input.H && width > 0; i++)
        {
            float* a = packed + ((long)(i + phases.Low) * _width + phases.Low) * Blocks.Size;
            nint offset = ((nint)n * _cb + panel.Block) * map + ((nint)(i * s.Stride + phase.Y) * s.Input.W + phase.X) * Blocks.Size;
            rows.Run(a, Blocks.Size, segment, segments, Blocks.Size, b, panel, width, epilogue, offset, map, s.Stride * Blocks.Size);
        }
    }

    private int FillSegments(StridePhases.Phase phase, nint* segment)
    {
        int count = 0;
        foreach (var tap in phase.Taps)
            for (int b = 0; b < _kb; b++)
                segment[count++] = (((nint)b * _height + tap.OffsetY) * _width + tap.OffsetX) * Blocks.Size;
        return count;
    }
}
