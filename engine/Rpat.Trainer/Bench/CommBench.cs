namespace Rpat.Trainer.Bench;

/// <summary>
/// Times the collectives of a process group at the sizes at which training a network uses them, and checks each result against the sum that
/// this process adds itself in rank order. Copies in memory of the same sizes are timed beside them.
/// </summary>
internal sealed class CommBench
{
    private const double RoundSeconds = 0.1;
    private const int MostCalls = 1000, BucketValues = 1 << 20;

    private readonly IProcessGroup _group;
    private readonly Item[] _items;

    /// <summary>Prepares the items for some networks.</summary>
    public CommBench(IProcessGroup group, IEnumerable<(string Name, long Parameters, int Channels)> networks)
    {
        _group = group;
        var all = networks.ToList();
        _items =
        [
            new Item("barrier", "barrier", 0, group.Barrier),
            .. all.Select(net => net.Channels).Distinct().SelectMany(BatchNorm),
            Sum($"all-reduce, a bucket of {BucketValues:N0} gradients", BucketValues),
            .. all.SelectMany(net => Gradients(net.Name, checked((int)net.Parameters))),
        ];
    }

    /// <summary>The kinds of rows.</summary>
    public static IReadOnlyList<string> Categories { get; } = ["barrier", "all-gather", "all-reduce", "broadcast", "memcpy"];

    /// <summary>The names and kinds of all items.</summary>
    public IEnumerable<(string Name, string Category)> Items => _items.Select(item => (item.Name, item.Category));

    /// <summary>How many items' results have been checked.</summary>
    public int Checked { get; private set; }

    /// <summary>Times an item; all ranks must call it with the same item and rounds.</summary>
    /// <exception cref="InvalidOperationException">A sum has other bits than one added in rank order.</exception>
    public BenchRow Time(string name, int rounds)
    {
        var item = _items.First(item => item.Name == name);
        if (item.Check is { } check)
        {
            check();
            Checked++;
        }
        double first = Repeat(item.Run, 1);
        int[] calls = [(int)Math.Clamp(RoundSeconds / first, 1, MostCalls)];
        _group.Broadcast(calls.AsSpan());
        double[] seconds = [.. Enumerable.Range(0, rounds).Select(_ => Repeat(item.Run, calls[0])).Order()];
        return new BenchRow(item.Name, item.Category, seconds) { Bytes = item.Bytes };
    }

    private double Repeat(Action run, int calls)
    {
        if (_group.Size > 1) _group.Barrier();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++) run();
        return Math.Max(1e-9, Stopwatch.GetElapsedTime(start).TotalSeconds / calls);
    }

    // What a batch norm exchanges: each rank's mean and variance forward, two sums in double precision backward.
    private Item[] BatchNorm(int channels)
    {
        float[] mine = Values(2 * channels, _group.Rank), all = new float[2 * channels * _group.Size];
        double[] sums = [.. mine.Select(value => (double)value)];
        return
        [
            new Item($"all-gather, a batch norm of {channels} channels", "all-gather", sizeof(float) * all.Length,
                () => _group.AllGather<float>(mine, all)),
            new Item($"all-reduce, a batch norm of {channels} channels", "all-reduce", sizeof(double) * sums.Length,
                () => _group.AllReduce(sums.AsSpan())),
        ];
    }

    private Item[] Gradients(string net, int count)
    {
        var source = new Lazy<float[]>(() => Values(count, _group.Rank));
        var target = new Lazy<float[]>(() => new float[count]);
        return
        [
            Sum($"all-reduce, gradients of {net}", count),
            new Item($"broadcast, weights of {net}", "broadcast", sizeof(float) * (double)count,
                () => _group.Broadcast(source.Value.AsSpan())),
            new Item($"memcpy, gradients of {net}", "memcpy", sizeof(float) * (double)count, () => source.Value.CopyTo(target.Value, 0)),
        ];
    }

    private Item Sum(string name, int count)
    {
        var values = new Lazy<float[]>(() => new float[count]);
        return new Item(name, "all-reduce", sizeof(float) * (double)count, () => _group.AllReduce(values.Value.AsSpan()))
        {
            Check = () => RequireSum(values.Value),
        };
    }

    private void RequireSum(float[] values)
    {
        Values(values.Length, _group.Rank).CopyTo(values, 0);
        _group.AllReduce(values.AsSpan());
        float[] expected = Values(values.Length, 0);
        for (int rank = 1; rank < _group.Size; rank++)
            foreach (var (i, value) in Values(values.Length, rank).Index()) expected[i] += value;
        if (!values.AsSpan().SequenceEqual(expected))
            throw new InvalidOperationException($"rank {_group.Rank} has a sum of {values.Length} values that is not in rank order");
        Array.Clear(values); // sums of sums would overflow
    }

    private static float[] Values(int count, int rank) => [.. Enumerable.Range(0, count).Select(i => 1f / (i % 1009 + 3 * rank + 1))];

    private sealed record Item(string Name, string Category, double Bytes, Action Run)
    {
        /// <summary>What is checked once before it is timed; null for nothing.</summary>
        public Action? Check { get; init; }
    }
}
