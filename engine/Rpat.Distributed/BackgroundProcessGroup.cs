using System.Runtime.ExceptionServices;

namespace Rpat.Distributed;

/// <summary>
/// A process group whose collectives all run on one thread of its own, in the order of the calls: sums go out while the caller computes,
/// and an MPI library is only ever called from the thread that initialised it. Calls allocate nothing once the queue has grown.
/// </summary>
public sealed unsafe class BackgroundProcessGroup : IProcessGroup, ILossSource
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly Queue<Work> _queue = [];
    private readonly object _gate = new();
    private readonly Thread _thread;
    private IProcessGroup? _group;
    private ExceptionDispatchInfo? _failure;
    private long _posted, _done;
    private bool _leaving;

    /// <summary>Starts the thread and forms the group on it.</summary>
    /// <param name="form">Forms the group. What it is given ends all waits at once, for a library that cannot be interrupted; its caller's
    /// memory must not be used from then on.</param>
    /// <exception cref="HandshakeException">The processes cannot form a group.</exception>
    public BackgroundProcessGroup(Func<Action<Exception>, IProcessGroup> form)
    {
        _thread = new Thread(() => Run(form)) { IsBackground = true, Name = "rpat communication" };
        _thread.Start();
        lock (_gate)
            while (_group is null && _failure is null) Monitor.Wait(_gate);
        _failure?.Throw();
        (Rank, Size) = (_group!.Rank, _group.Size);
    }

    /// <summary>Raised once and at once when a rank is lost, from any thread; also for whoever subscribes later.</summary>
    public event Action<PeerLostException> Lost
    {
        add
        {
            if (_group is ILossSource source) source.Lost += value;
        }
        remove
        {
            if (_group is ILossSource source) source.Lost -= value;
        }
    }

    private enum Kind
    {
        Floats,
        Doubles,
        Gather,
        Broadcast,
        Started,
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size { get; }

    /// <inheritdoc/>
    public void AllReduce(Span<float> values)
    {
        fixed (float* from = values) Do(new Work(Kind.Floats, from, values.Length));
    }

    /// <inheritdoc/>
    public void AllReduce(Span<double> values)
    {
        fixed (double* from = values) Do(new Work(Kind.Doubles, from, values.Length));
    }

    /// <inheritdoc/>
    public void StartAllReduce(Memory<float> values) => Post(new Work(Kind.Started, null, 0) { Values = values });

    /// <inheritdoc/>
    public void Wait()
    {
        lock (_gate) Await(_posted);
    }

    /// <inheritdoc/>
    public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged
    {
        var from = MemoryMarshal.AsBytes(mine);
        var to = MemoryMarshal.AsBytes(all);
        fixed (byte* a = from, b = to) Do(new Work(Kind.Gather, a, from.Length) { To = b, ToLength = to.Length });
    }

    /// <inheritdoc/>
    public void Broadcast<T>(Span<T> values) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        fixed (byte* from = bytes) Do(new Work(Kind.Broadcast, from, bytes.Length));
    }

    /// <inheritdoc/>
    public void Fail(int code, string sentence) => _group!.Fail(code, sentence);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _leaving = true;
            Monitor.PulseAll(_gate);
        }
        // After a failure the thread may be inside a library that waits for a dead process: it ends with this one.
        if (_failure is null) _thread.Join();
        else _thread.Join(_patience);
    }

    private long Post(in Work work)
    {
        lock (_gate)
        {
            _failure?.Throw();
            _queue.Enqueue(work);
            Monitor.PulseAll(_gate);
            return ++_posted;
        }
    }

    private void Do(in Work work)
    {
        long number = Post(work);
        lock (_gate) Await(number);
    }

    private void Await(long number)
    {
        while (_done < number && _failure is null) Monitor.Wait(_gate);
        _failure?.Throw();
    }

    private void Run(Func<Action<Exception>, IProcessGroup> form)
    {
        try
        {
            var group = form(Stop);
            lock (_gate)
            {
                _group = group;
                Monitor.PulseAll(_gate);
            }
            while (Take() is { } work) Execute(group, work);
        }
        catch (Exception error)
        {
            Stop(error);
        }
        _group?.Dispose();
    }

    private Work? Take()
    {
        lock (_gate)
        {
            while (_queue.Count == 0 && !_leaving) Monitor.Wait(_gate);
            return _queue.Count == 0 || _failure is not null ? null : _queue.Dequeue();
        }
    }

    private void Execute(IProcessGroup group, in Work work)
    {
        var bytes = new Span<byte>(work.From, work.Kind is Kind.Gather or Kind.Broadcast ? work.Length : 0);
        if (work.Kind == Kind.Floats) group.AllReduce(new Span<float>(work.From, work.Length));
        if (work.Kind == Kind.Doubles) group.AllReduce(new Span<double>(work.From, work.Length));
        if (work.Kind == Kind.Gather) group.AllGather<byte>(bytes, new Span<byte>(work.To, work.ToLength));
        if (work.Kind == Kind.Broadcast) group.Broadcast(bytes);
        if (work.Kind == Kind.Started) group.AllReduce(work.Values.Span);
        lock (_gate)
        {
            _done++;
            Monitor.PulseAll(_gate);
        }
    }

    private void Stop(Exception error)
    {
        lock (_gate)
        {
            if (_failure is not null) return;
            _failure = ExceptionDispatchInfo.Capture(error);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>One call, whose memory its caller keeps in place until it returns.</summary>
    private readonly struct Work(Kind kind, void* from, int length)
    {
        public Kind Kind => kind;
        public void* From => from;
        public int Length => length;
        public void* To { get; init; }
        public int ToLength { get; init; }
        public Memory<float> Values { get; init; }
    }
}
