using System.Numerics.Tensors;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Trainer.Bench;

/// <summary>
/// A model of a CPU with n cores, on fewer: each kernel's items, divided as for n threads, are timed one after another on one thread and
/// then dealt to n threads, each of which takes the next chunk when it is free. In it memory and caches are as fast as for one thread, and
/// threads start at once and at no cost; what lies between kernels is done by one of them.
/// </summary>
internal sealed class ThreadsModel : IDisposable
{
    private const string Outside = "outside of the tapes: uploads, attack steps, optimizer";

    private readonly CpuDevice _device;
    private readonly IReadOnlyList<Tape> _tapes;
    private readonly List<Job> _jobs = []; // in the order in which they ran, which is the same each time
    private string _place = Outside;
    private int _next;
    private double _between = double.PositiveInfinity;

    private ThreadsModel(CpuDevice device, IReadOnlyList<Tape> tapes)
    {
        (_device, _tapes) = (device, tapes);
        foreach (var tape in _tapes) tape.OnNode += Enter;
    }

    /// <summary>Runs an action several times; of each item the shortest time counts, as other programs only make it longer.</summary>
    public static ThreadsModel Of(CpuDevice device, IReadOnlyList<Tape> tapes, Action action, int repetitions)
    {
        using var model = new ThreadsModel(device, tapes);
        for (int i = 0; i < repetitions; i++) model.Watch(action);
        return model;
    }

    /// <summary>Seconds of the action with as many cores as the device has threads.</summary>
    public double Seconds => _between + _jobs.Sum(job => SpanOf(job.Items, job.Chunk, _device.Threads));

    /// <summary>Work of one kind and size, first where threads wait most.</summary>
    public IReadOnlyList<Row> Rows =>
    [
        .. from job in _jobs
           group job by job.Place into jobs
           let row = new Row(jobs.Key, jobs.Min(job => job.Items.Length), jobs.Sum(job => job.Items.Sum()),
               jobs.Sum(job => SpanOf(job.Items, job.Chunk, _device.Threads)))
           orderby row.Idle(_device.Threads) descending
           select row,
    ];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tape in _tapes) tape.OnNode -= Enter;
        _device.OnJob = null;
    }

    /// <summary>When the last of the threads is done with its items.</summary>
    /// <param name="items">Seconds of each.</param>
    /// <param name="chunk">Consecutive items that a thread takes at a time.</param>
    public static double SpanOf(ReadOnlySpan<double> items, int chunk, int threads)
    {
        var free = new PriorityQueue<int, double>(Enumerable.Range(0, threads).Select(thread => (thread, 0.0)));
        double last = 0;
        for (int first = 0; first < items.Length; first += chunk)
        {
            free.TryDequeue(out int thread, out double since);
            foreach (double item in items.Slice(first, Math.Min(chunk, items.Length - first))) since += item;
            free.Enqueue(thread, since);
            last = Math.Max(last, since);
        }
        return last;
    }

    private void Watch(Action action)
    {
        _next = 0;
        double inside = 0;
        var watch = Stopwatch.StartNew();
        _device.OnJob = (items, chunk) => { inside += items.Sum(); Add(items, chunk); };
        action();
        _between = Math.Min(_between, watch.Elapsed.TotalSeconds - inside);
    }

    private void Enter(Node? node, bool backward) => _place = node is null ? Outside : ProfileKey.Of(node, backward).Text;

    private void Add(double[] items, int chunk)
    {
        if (items.Length == 0) return;
        if (_next == _jobs.Count) _jobs.Add(new Job(_place, items, chunk));
        else TensorPrimitives.Min(_jobs[_next].Items, items, _jobs[_next].Items);
        _next++;
    }

    private sealed record Job(string Place, double[] Items, int Chunk);

    /// <summary>What one op does at one size.</summary>
    /// <param name="Items">Of its smallest kernel.</param>
    /// <param name="Work">Seconds of all items.</param>
    /// <param name="Span">Seconds until the last thread is done, summed over its kernels.</param>
    internal sealed record Row(string Name, int Items, double Work, double Span)
    {
        /// <summary>Seconds that it costs because threads wait.</summary>
        public double Idle(int threads) => Span - Work / threads;

        /// <summary>The share of the threads' time in which they work.</summary>
        public double Efficiency(int threads) => Work / (threads * Span);
    }
}
