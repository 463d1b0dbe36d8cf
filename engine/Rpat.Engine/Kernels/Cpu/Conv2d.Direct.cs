namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Direct convolution: strips of four output pixels, three strips per tile, are the rows of a product whose reduction runs over (channel
/// block, tap, channel). An item is a few images: their packed copies stay in L2, and weights are read once for all of them.
/// </summary>
internal unsafe partial class CpuKernels
{
    private const int LeastGroups = 2; // per thread

    private readonly long _groupBytes = l2 / 8 * 3L; // of packed images, which stay in L2 together with the weights of a K block
    private readonly Tile.GroupedTiles _grouped = Tile.GroupedFor(set);
    private readonly StemTile.Products _stems = StemTile.For(set);

    private void DirectForward(in ConvShape s, in Operand x, float* filters, float* residual, float* y)
    {
        var input = new PackedInput(s, new Affine(x));
        int groups = Groups(s.Input.N, input.ImageFloats, new KBlocks(input.Segments, input.SegmentLength));
        _pool.Run(new DirectForwardJob(_grouped, s, input, filters, new Epilogue(y, residual, default, s.Output.Count), groups), groups);
    }

    private void DirectInputGradient(in ConvShape s, float* dy, float* filters, in Affine through, float* add, float* dx)
    {
        if (s.InputLayout == Layout.Plain)
        {
            _pool.Run(new StemGradientJob(_stems, s, dy, filters, through, add, dx), s.Input.N);
            return;
        }
        var phases = StridePhases.Of(s);
        int border = phases.Low + phases.Behind(s);
        var parts = new KBlocks(Blocks.Count(s.K) * s.R * s.R, Blocks.Size);
        var epilogue = new Epilogue(dx, add, through, s.Input.Count);
        long imageFloats = (long)Blocks.Count(s.K) * (s.P + border) * (s.Q + border) * Blocks.Size;
        if (DirectInputGradientJob.ClearsFirst(phases, epilogue)) imageFloats += (long)Blocks.Count(s.C) * s.Input.Area * Blocks.Size;
        int groups = Groups(s.Input.N, imageFloats, parts);
        _pool.Run(new DirectInputGradientJob(_grouped, s, phases, dy, filters, epilogue, groups), groups);
    }

    /// <summary>Groups of images: as few as fit into L2, counting what one K block reads of them, and as many for each thread.</summary>
    private int Groups(int n, long imageFloats, in KBlocks parts)
    {
        long fit = Math.Max(1, _groupBytes * parts.Count / (imageFloats * sizeof(float)));
        long rounds = Math.Max(LeastGroups, (n + fit * _pool.Threads - 1) / (fit * _pool.Threads));
        return (int)Math.Min(n, rounds * _pool.Threads);
    }
}

/// <summary>Forward pass of a few images.</summary>
internal readonly unsafe struct DirectForwardJob(Tile.GroupedTiles tiles, ConvShape s, PackedInput input, float* w, Epilogue epilogue,
    int groups) : IJob
{
    private readonly int _kb = Blocks.Count(s.K);

    public void Run(int index, Worker worker)
    {
        int first = (int)((long)s.Input.N * index / groups), count = (int)(s.Input.N * (index + 1L) / groups) - first;
        float* a = input.Images(first, count, worker, slot: 0);
        var segment = (Tile.KSegment*)worker.Scratch(1, 4L * input.Segments);
        var runs = new RowStrips(worker, slot: 3, count * s.P * RowStrips.InRow(s.Q));
        var parts = new KBlocks(input.Segments, input.SegmentLength);
        AddRuns(ref runs, first, count, epilogue.MayStoreTwice(parts));
        var product = new StripGemm(tiles, runs, epilogue, worker.Scratch(2, StripGemm.SumFloats(runs, _kb, parts.Count)), parts.Count,
            Prefetch.Of(s, isPacked: !input.IsInPlace));
        for (int part = 0; part < input.Segments; part += parts.Length)
            Panels(a, product, parts, part, segment);
        epilogue.Fence();
    }

    private void Panels(float* a, in StripGemm product, in KBlocks parts, int part, Tile.KSegment* segment)
    {
        long rows = (long)input.Segments * input.SegmentLength;
        for (int block = 0; block < _kb;)
        {
            var panel = Columns.PanelOf(block, _kb);
            input.FillSegments(segment, panel.Columns);
            float* b = w + panel.Offset(rows);
            var reduction = KBlock.Of(parts, part, segment, input.SegmentLength, b, panel.NextOf(b, rows, _kb));
            product.Run(a, input.PixelStep, reduction, panel, (nint)s.P * s.Q * Blocks.Size, Blocks.Size);
            block += panel.Blocks;
        }
    }

    private void AddRuns(ref RowStrips runs, int first, int count, bool mayOverlap)
    {
        for (int i = 0; i < count; i++)
            for (int y = 0; y < s.P; y++)
                runs.AddRow((nint)(i * input.ImageFloats) + y * input.RowStep, input.PixelStep,
                    (((nint)(first + i) * _kb * s.P) + y) * s.Q * Blocks.Size, Blocks.Size, s.Q, mayOverlap);
    }
}

/// <summary>Input gradient of a few images, one stride phase after another.</summary>
internal readonly unsafe struct DirectInputGradientJob(Tile.GroupedTiles tiles, ConvShape s, StridePhases phases, float* dy, float* w,
    Epilogue epilogue, int groups) : IJob
{
    private readonly int _cb = Blocks.Count(s.C);
    private readonly int _kb = Blocks.Count(s.K);
    private readonly int _behind = phases.Behind(s);
    private readonly int _height = s.P + phases.Low + phases.Behind(s);
    private readonly int _width = s.Q + phases.Low + phases.Behind(s);

    /// <summary>Whether the output is zeroed first because some pixels receive no tap; the rest is then still in L2.</summary>
    public static bool ClearsFirst(StridePhases phases, in Epilogue epilogue) =>
        epilogue.Add == null && !epilogue.InPlace && !epilogue.Streams && phases.HasEmpty;

    private bool IsPacked => phases.Low + _behind > 0;
    private long ImageFloats => (long)_kb * _height * _width * Blocks.Size;
    private nint Map => (nint)s.Input.Area * Blocks.Size;

    public void Run(int index, Worker worker)
    {
        int first = (int)((long)s.Input.N * index / groups), count = (int)(s.Input.N * (index + 1L) / groups) - first;
        float* a = Images(first, count, worker);
        bool cleared = ClearsFirst(phases, epilogue);
        if (cleared) ClearImages(first, count);
        long row = 0; // of the packed weights
        foreach (var phase in phases.All)
        {
            if (cleared && phase.Taps.Length == 0) continue;
            Phase(worker, a, first, count, phase, row);
            row += (long)phase.Taps.Length * _kb * Blocks.Size;
        }
        epilogue.Fence();
    }

    private void ClearImages(int first, int count)
    {
        float* to = epilogue.Y + (long)first * _cb * Map, end = to + (long)count * _cb * Map;
        for (; to < end; to += Blocks.Size) Vector512<float>.Zero.Store(to);
    }

    private float* Images(int first, int count, Worker worker)
    {
        long map = (long)_kb * s.P * s.Q * Blocks.Size;
        if (!IsPacked) return dy + first * map;
        float* packed = worker.Scratch(0, count * ImageFloats + PackImage.Slack);
        for (int i = 0; i < count; i++)
            PackImage.Blocked(new Affine(dy), (first + i) * map, _kb, s.P, s.Q, phases.Low, _behind, packed + i * ImageFloats);
        return packed;
    }

    private void Phase(Worker worker, float* a, int first, int count, StridePhases.Phase phase, long row)
    {
        int width = (s.Input.W - phase.X + s.Stride - 1) / s.Stride, height = (s.Input.H - phase.Y + s.Stride - 1) / s.Stride;
        var runs = new RowStrips(worker, slot: 3, count * height * RowStrips.InRow(width));
        var parts = new KBlocks(phase.Rows * _kb, phase.RowTaps * Blocks.Size);
        AddRuns(ref runs, first, count, phase, width, height, epilogue.MayStoreTwice(parts));
        var product = new StripGemm(tiles, runs, epilogue, worker.Scratch(2, StripGemm.SumFloats(runs, _cb, parts.Count)), parts.Count,
            Prefetch.Of(s, IsPacked));
        if (phase.Taps.Length == 0) product.StoreZeros(_cb, Map, s.Stride * Blocks.Size);
        var segment = (Tile.KSegment*)worker.Scratch(1, 4L * parts.Segments);
        for (int part = 0; part < parts.Segments; part += parts.Length)
            Panels(a, product, phase, parts, part, segment, row);
    }

    private void Panels(float* a, in StripGemm product, StridePhases.Phase phase, in KBlocks parts, int part, Tile.KSegment* segment,
        long row)
    {
        for (int block = 0; block < _cb;)
        {
            var panel = Columns.PanelOf(block, _cb);
            FillSegments(phase, segment, panel.Columns);
            long rows = (long)s.R * s.R * _kb * Blocks.Size;
            float* b = w + panel.Offset(rows) + row * panel.Columns;
            var reduction = KBlock.Of(parts, part, segment, phase.RowTaps * Blocks.Size, b, panel.NextOf(b, rows, _cb));
            product.Run(a, Blocks.Size, reduction, panel, Map, s.Stride * Blocks.Size);
            block += panel.Blocks;
        }
    }

    private void AddRuns(ref RowStrips runs, int first, int count, StridePhases.Phase phase, int width, int height, bool mayOverlap)
    {
        for (int n = 0; n < count; n++)
            for (int i = 0; i < height; i++)
            {
                nint from = (nint)(n * ImageFloats) + ((nint)(i + phases.Low) * _width + phases.Low) * Blocks.Size;
                nint to = (nint)(first + n) * _cb * Map + ((nint)(i * s.Stride + phase.Y) * s.Input.W + phase.X) * Blocks.Size;
                runs.AddRow(from, Blocks.Size, to, s.Stride * Blocks.Size, width, mayOverlap);
            }
    }

    /// <summary>In the order of the packed weights: the taps of a row read neighbouring pixels.</summary>
    private void FillSegments(StridePhases.Phase phase, Tile.KSegment* segment, int columns)
    {
        nint row = 0;
        for (int b = 0; b < _kb; b++)
            for (int tap = 0; tap < phase.Taps.Length; tap += phase.RowTaps, row += phase.RowTaps * Blocks.Size)
                *segment++ = new((((nint)b * _height + phase.Taps[tap].OffsetY) * _width + phase.Taps[tap].OffsetX) * Blocks.Size,
                    row * columns);
    }
}
