namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Output pixels as row strips of up to four neighbours: where each strip reads and where its results go.</summary>
internal unsafe struct RowStrips
{
    /// <summary>Pixels of a full strip.</summary>
    public const int Length = 4;

    private readonly nint* _from;
    private readonly nint* _to;
    private readonly nint* _pixels;

    /// <summary>Room for that many strips in a worker's memory.</summary>
    public RowStrips(Worker worker, int slot, int most)
    {
        _from = (nint*)worker.Scratch(slot, 6L * most);
        _to = _from + most;
        _pixels = _to + most;
    }

    /// <summary>Number of strips.</summary>
    public int Count { get; private set; }

    /// <summary>Number of tiles; the last may have fewer strips.</summary>
    public readonly int Tiles => (Count + Tile.Strips - 1) / Tile.Strips;

    public static int InRow(int width) => (width + Length - 1) / Length;

    /// <summary>
    /// Adds the pixels of one row; if a result may be stored twice, the last strip overlaps the one before instead of being short.
    /// </summary>
    public void AddRow(nint from, nint fromStep, nint to, nint toStep, int width, bool mayOverlap)
    {
        for (int x = 0; x < width; x += Length)
        {
            int at = mayOverlap ? Math.Max(0, Math.Min(x, width - Length)) : x;
            Add(from + at * fromStep, to + at * toStep, Math.Min(Length, width - at));
        }
    }

    /// <summary>Offsets that a tile reads at, from a strip on.</summary>
    public readonly nint* From(int run) => _from + run;

    /// <summary>Offsets of a tile's results, from a strip on.</summary>
    public readonly nint* To(int run) => _to + run;

    /// <summary>Valid pixels of a strip.</summary>
    public readonly int Width(int run) => (int)_pixels[run];

    /// <summary>Strips of the tile that starts at one.</summary>
    public readonly int InTile(int run) => Math.Min(Tile.Strips, Count - run);

    /// <summary>Whether the pixels of the tile that starts at a strip are one full row with this step.</summary>
    public readonly bool IsRow(int run, nint step) => InTile(run) == Tile.Strips
        && _from[run + 1] - _from[run] == Length * step && _from[run + 2] - _from[run + 1] == Length * step;

    /// <summary>Whether every pixel of the tile that starts at a strip is valid.</summary>
    public readonly bool IsFull(int run)
    {
        nint pixels = 0;
        for (int i = run; i < run + InTile(run); i++) pixels += _pixels[i];
        return pixels == InTile(run) * Length;
    }

    private void Add(nint from, nint to, int pixels) => (_from[Count], _to[Count], _pixels[Count++]) = (from, to, pixels);
}

/// <summary>
/// A long reduction is summed in K blocks whose weights for a column pair stay in L2 while all pixels pass; K blocks are as equal as
/// possible and depend on the shape alone.
/// </summary>
internal readonly struct KBlocks
{
    private const int Bytes = 160 << 10; // with those that come next and the images, within the smallest L2, 512 KiB

    public KBlocks(int segments, int length)
    {
        long bytes = (long)segments * length * 2 * Blocks.Size * sizeof(float);
        Count = (int)Math.Max(1, (bytes + Bytes - 1) / Bytes);
        Length = (segments + Count - 1) / Count;
        Segments = segments;
    }

    public int Count { get; }

    /// <summary>Segments of a K block; the last may have fewer.</summary>
    public int Length { get; }

    public int Segments { get; }
}

/// <summary>One K block: its segments of that many products each, and the weights <c>[segments·length][columns]</c>.</summary>
internal readonly unsafe struct KBlock(Tile.KSegment* segment, int segments, int length, float* b, float* nextB, bool isFirst, bool isLast)
{
    public readonly Tile.KSegment* Segment = segment;
    public readonly int Segments = segments;
    public readonly int Length = length;
    public readonly float* B = b;
    public readonly float* NextB = nextB; // of the next panel, or null
    public readonly bool IsFirst = isFirst;
    public readonly bool IsLast = isLast;

    /// <summary>The K block that starts at a segment; segment offsets count from the start of the reduction.</summary>
    public static KBlock Of(in KBlocks parts, int first, Tile.KSegment* segment, int length, float* b, float* nextB)
    {
        int count = Math.Min(parts.Length, parts.Segments - first);
        return new(segment + first, count, length, b, nextB, first == 0, first + count == parts.Segments);
    }
}

/// <summary>What a product's tiles prefetch: nothing if both tensors are small enough to be in a cache still.</summary>
/// <param name="Operand">What the next tile reads, unless it was packed; done by the first column pair.</param>
/// <param name="Results">The lines that a tile stores to, or reads while storing.</param>
internal readonly record struct Prefetch(bool Operand, bool Results)
{
    private const long LeastBytes = 8 << 20;

    /// <summary>What a convolution of these sizes prefetches.</summary>
    public static Prefetch Of(in ConvShape s, bool isPacked)
    {
        bool isLarge = Sse.IsSupported && sizeof(float) * (s.Input.Count + s.Output.Count) >= LeastBytes;
        return new(isLarge && !isPacked, isLarge);
    }
}

/// <summary>Multiplies strips of pixels by panels of weights.</summary>
internal readonly unsafe struct StripGemm
{
    private readonly Tile.GroupedTiles _tiles;
    private readonly RowStrips _runs;
    private readonly Epilogue _epilogue;
    private readonly float* _sums;
    private readonly int _sumsStep; // between tiles; 0 for a single K block, whose sums are stored at once
    private readonly Prefetch _ahead;

    /// <summary>A product of strips.</summary>
    /// <param name="sums">Room for <see cref="SumFloats"/>.</param>
    public StripGemm(Tile.GroupedTiles tiles, in RowStrips runs, in Epilogue epilogue, float* sums, int parts, Prefetch ahead)
    {
        (_tiles, _runs, _epilogue, _ahead) = (tiles, runs, epilogue, ahead);
        _sums = sums;
        _sumsStep = parts > 1 ? Tile.GroupedFloats : 0;
    }

    /// <summary>Floats of the sums that a product of that many strips and blocks keeps.</summary>
    public static long SumFloats(in RowStrips runs, int blocks, int parts) =>
        parts > 1 ? (long)runs.Tiles * ((blocks + 1) / 2) * Tile.GroupedFloats : Tile.GroupedFloats;

    /// <summary>All pixels by all columns of the panel.</summary>
    /// <param name="pixelStep">Distance between a strip's pixels in the result.</param>
    public void Run(float* a, nint aRow, in KBlock part, in Panel panel, nint blockStep, nint pixelStep)
    {
        for (int j = 0; j < panel.Blocks; j += 2)
        {
            float* b = part.B + j * Blocks.Size, next = j + 2 < panel.Blocks ? b + 2 * Blocks.Size : part.NextB;
            var to = new Target(panel.Block + j, Math.Min(2, panel.Blocks - j), blockStep, pixelStep);
            ColumnPair(a, aRow, part, new Weights(b, next, panel.Columns), to);
        }
    }

    /// <summary>Stores zeros to pixels that no tap reaches.</summary>
    public void StoreZeros(int blocks, nint blockStep, nint pixelStep)
    {
        if (_epilogue.InPlace) return;
        new Span<float>(_sums, Tile.GroupedFloats).Clear();
        for (int run = 0; run < _runs.Count; run++)
            for (int b = 0; b < blocks; b++)
                _epilogue.Store(_sums, Blocks.Size, b, *_runs.To(run) + b * blockStep, pixelStep, _runs.Width(run));
    }

    /// <summary>Destination of a column pair's results.</summary>
    private readonly record struct Target(int Block, int Blocks, nint BlockStep, nint PixelStep);

    /// <summary>A column pair's weights, those that come next, and the floats between their rows.</summary>
    private readonly record struct Weights(nint At, nint After, int Step)
    {
        public Weights(float* at, float* after, int step) : this((nint)at, (nint)after, step)
        {
        }

        public float* B => (float*)At;

        /// <summary>What the tile at a strip prefetches: a column block of the next weights, or nothing new.</summary>
        public PrefetchLines Ahead(int run, int blocks, in KBlock part)
        {
            int block = run / Tile.Strips;
            bool fetches = After != 0 && block < blocks;
            return new(fetches ? After + block * Blocks.Size * sizeof(float) : At, fetches ? Step * sizeof(float) : 0,
                (nint)((nint*)part.Segment + 1));
        }
    }

    private void ColumnPair(float* a, nint aRow, in KBlock part, in Weights b, in Target to)
    {
        int columns = to.Blocks * Blocks.Size;
        nint* dense = stackalloc nint[] { 0, RowStrips.Length * columns, 2 * RowStrips.Length * columns };
        float* sums = _sums + (long)to.Block / 2 * _runs.Tiles * _sumsStep, y = _epilogue.Y + to.Block * to.BlockStep;
        // Only the total over all K blocks is streamed, or added to what is there: full tiles then round like the last one.
        bool isDirect = _epilogue.TileStores && !((_epilogue.Streams || _epilogue.InPlace) && _sumsStep > 0);
        var finish = !part.IsFirst || _epilogue.InPlace ? Tile.StoreMode.Add
            : _epilogue.Streams ? Tile.StoreMode.Stream : Tile.StoreMode.Store;
        bool fetchesOperand = _ahead.Operand && to.Block == 0;
        bool fetchesResults = _ahead.Results && _epilogue.ReadsLines && (isDirect ? part.IsFirst : part.IsLast);
        for (int run = 0; run < _runs.Count; run += Tile.Strips, sums += _sumsStep)
        {
            ref readonly var tile = ref _tiles.Pick(RowStrips.Length, to.Blocks, _runs.Count - run);
            var next = b.Ahead(run, to.Blocks, part);
            if (fetchesOperand) next = Next(a, aRow, part, run, next);
            if (fetchesResults) FetchResults(run, to);
            if (isDirect && _runs.IsFull(run))
            {
                tile.Run(a, _runs.From(run), aRow, 1, part.Segment, part.Segments, part.Length, b.B, b.Step, Blocks.Size,
                    y, _runs.To(run), to.PixelStep, to.BlockStep, finish, next.At, next.Step, next.Places);
                continue;
            }
            tile.Run(a, _runs.From(run), aRow, 1, part.Segment, part.Segments, part.Length, b.B, b.Step, Blocks.Size,
                sums, dense, columns, Blocks.Size, part.IsFirst ? Tile.StoreMode.Store : Tile.StoreMode.Add, next.At, next.Step,
                next.Places);
            if (part.IsLast) Store(sums, run, to);
        }
    }

    /// <summary>What a tile prefetches: for each segment one line per product, from one of the segment's two offsets on.</summary>
    private readonly record struct PrefetchLines(nint From, nint Step, nint Place)
    {
        public byte* At => (byte*)From;

        public nint* Places => (nint*)Place;
    }

    /// <summary>What the next tile reads: the current tile prefetches it if it is one row of pixels; otherwise this method does.</summary>
    private PrefetchLines Next(float* a, nint aRow, in KBlock part, int run, in PrefetchLines otherwise)
    {
        int next = run + Tile.Strips < _runs.Count ? run + Tile.Strips : run;
        if (_runs.IsRow(next, aRow)) return new((nint)(a + *_runs.From(next)), aRow * sizeof(float), (nint)part.Segment);
        for (int s = 0; s < part.Segments; s++)
            for (int g = 0; g < _runs.InTile(next); g++)
                FetchRun(a + part.Segment[s].A + *_runs.From(next + g), aRow);
        return otherwise;
    }

    /// <summary>
    /// Prefetches the lines that a tile's results go to and those that are read while storing, for which a short reduction would have to
    /// wait.
    /// </summary>
    private void FetchResults(int run, in Target to)
    {
        for (int g = 0; g < _runs.InTile(run); g++)
            for (int i = 0; i < to.Blocks; i++)
            {
                nint offset = *_runs.To(run + g) + (to.Block + i) * to.BlockStep;
                if (!_epilogue.Streams) FetchRun(_epilogue.Y + offset, to.PixelStep);
                if (_epilogue.Add != null) FetchRun(_epilogue.Add + offset, to.PixelStep);
                if (_epilogue.Through != null) FetchRun(_epilogue.Through + offset, to.PixelStep);
            }
    }

    private static void FetchRun(float* line, nint step)
    {
        for (int i = 0; i < RowStrips.Length; i++, line += step) Sse.Prefetch0(line);
    }

    private void Store(float* sums, int run, in Target to)
    {
        for (int g = 0; g < _runs.InTile(run); g++)
            for (int i = 0; i < to.Blocks; i++)
                _epilogue.Store(sums + (g * RowStrips.Length * to.Blocks + i) * Blocks.Size, to.Blocks * Blocks.Size, to.Block + i,
                    *_runs.To(run + g) + (to.Block + i) * to.BlockStep, to.PixelStep, _runs.Width(run + g));
    }
}

/// <summary>
/// A convolution's input as the tiles read it: packed with its border, packed with only the pixels that a 1×1 filter sees, or in place.
/// </summary>
internal readonly unsafe struct PackedInput
{
    private const int Spread = 9 * Blocks.Size; // between packed images, avoids cache-set conflicts in deep layers

    private readonly ConvShape _shape;
    private readonly Affine _x;
    private readonly int _cb;
    private readonly int _height;
    private readonly int _width;
    private readonly int _stride;
    private readonly bool _isSampled;

    /// <summary>How a convolution reads its input.</summary>
    /// <param name="mayLie">Whether an input without a border may be read in place.</param>
    public PackedInput(in ConvShape s, in Affine x, bool mayLie = true)
    {
        (_shape, _x, _cb) = (s, x, Blocks.Count(s.C));
        IsStem = s.InputLayout == Layout.Plain;
        IsInPlace = mayLie && !IsStem && s is { Padding: 0, Trailing: 0, Stride: <= 2 } && !x.IsMap;
        _isSampled = !IsStem && s is { Padding: 0, Trailing: 0, R: 1 } && !IsInPlace;
        _stride = _isSampled ? 1 : s.Stride;
        (_height, _width) = _isSampled ? (s.P, s.Q) : (s.Input.H + 2 * s.Padding + s.Trailing, s.Input.W + 2 * s.Padding + s.Trailing);
    }

    /// <summary>An image of few channels, packed channels last.</summary>
    public bool IsStem { get; }

    /// <summary>Nothing to pack.</summary>
    public bool IsInPlace { get; }

    /// <summary>Distance between images with all their channels.</summary>
    public long ImageFloats => InputBlocks * BlockFloats + (IsInPlace ? 0 : Spread);

    /// <summary>Channel blocks; an image of few channels counts as one.</summary>
    public int InputBlocks => IsStem ? 1 : _cb;

    /// <summary>Floats of one channel block, or of an image of few channels.</summary>
    public long BlockFloats => (long)_height * _width * PixelFloats;

    /// <summary>Distance between the inputs of neighbouring output pixels.</summary>
    public nint PixelStep => _stride * PixelFloats;

    /// <summary>Distance between the inputs of neighbouring output rows.</summary>
    public nint RowStep => (nint)_stride * _width * PixelFloats;

    /// <summary>K segments of the reduction: (channel block, row of the filter), whose taps and channels are contiguous.</summary>
    public int Segments => InputBlocks * _shape.R;

    /// <summary>Products of a segment.</summary>
    public int SegmentLength => _shape.R * PixelFloats;

    /// <summary>Channels of a pixel, or of a block of it.</summary>
    public int PixelFloats => IsStem ? _shape.C : Blocks.Size;

    /// <summary>A few images, packed into the worker's memory unless they can stay where they are.</summary>
    public float* Images(int first, int count, Worker worker, int slot) => Images(first, count, 0, InputBlocks, worker, slot);

    /// <summary>A range of a few images' channel blocks; images are <see cref="Distance"/> apart.</summary>
    public float* Images(int first, int count, int block, int blocks, Worker worker, int slot)
    {
        if (IsInPlace) return _x.Data + first * ImageFloats + block * BlockFloats;
        long distance = Distance(blocks);
        float* packed = worker.Scratch(slot, count * distance + PackImage.Slack + (RowStrips.Length - 1) * PixelStep); // of a short strip
        for (int i = 0; i < count; i++) Pack(first + i, block, blocks, packed + i * distance);
        return packed;
    }

    /// <summary>Whether the rows of output pixels that a tap reads are contiguous, so that an image is one long row.</summary>
    public bool IsFlat => RowStep == _shape.Q * PixelStep;

    /// <summary>Distance between images of which that many channel blocks were packed.</summary>
    public long Distance(int blocks) => IsInPlace ? ImageFloats : blocks * BlockFloats + Spread;

    /// <summary>Rows of a channel block that are read; 0 for images of few channels, which are not prefetched.</summary>
    public int MapRows => IsStem ? 0 : _isSampled ? _shape.P : _shape.Input.H;

    /// <summary>Prefetches into L2 some rows of the source from which a few images' channel blocks will be packed.</summary>
    public void Fetch(int first, int block, int blocks, int from, int to)
    {
        if (!Sse.IsSupported) return;
        for (int row = from; row < to; row++)
        {
            int map = row / MapRows, step = _isSampled ? _shape.Stride : 1, width = _isSampled ? _shape.Q : _shape.Input.W;
            long plane = ((long)first + map / blocks) * _cb + block + map % blocks;
            float* at = _x.Data + (plane * _shape.Input.H + row % MapRows * step) * _shape.Input.W * Blocks.Size;
            for (int x = 0; x < width; x++) Sse.Prefetch1(at + x * step * Blocks.Size);
        }
    }

    private void Pack(long n, int block, int blocks, float* to)
    {
        var s = _shape;
        long blocked = (n * _cb + block) * s.Input.Area * Blocks.Size;
        if (IsStem) PackImage.ChannelsLast(_x, n * s.Input.SampleCount, s.C, s.Input.H, s.Input.W, s.Padding, s.Padding + s.Trailing, to);
        else if (_isSampled) PackImage.Sampled(_x.From(block), blocked, blocks, s, to);
        else PackImage.Blocked(_x.From(block), blocked, blocks, s.Input.H, s.Input.W, s.Padding, s.Padding + s.Trailing, to);
    }

    /// <summary>Fills the segments of a panel that many columns wide.</summary>
    public void FillSegments(Tile.KSegment* segment, int columns)
    {
        for (int i = 0; i < Segments; i++) segment[i] = new(SegmentOffset(i), (nint)i * SegmentLength * columns);
    }

    /// <summary>Offset of segment i, for the first output pixel.</summary>
    public nint SegmentOffset(int i) => ((nint)(i / _shape.R) * _height + i % _shape.R) * _width * PixelFloats;
}
