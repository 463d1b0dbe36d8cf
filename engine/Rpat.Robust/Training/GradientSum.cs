namespace Rpat.Robust.Training;

/// <summary>
/// Adds a network's gradients over the processes that share a batch, in rank order. They go out in fixed buckets, the last layers' first,
/// each as soon as no op of the pass writes into it any more; the sums do not depend on when that is.
/// </summary>
internal sealed class GradientSum
{
    private const int Buckets = 8; // of a small network; a large one has more
    private const int Quad = 4; // words that GPU kernels read at once
    private const int LeastWords = 1 << 10, MostWords = 1 << 20; // 4 KiB to 4 MiB

    private readonly ParameterStore _store;
    private readonly IProcessGroup _team;
    private readonly Bucket[] _buckets;
    private readonly float[] _values;

    public GradientSum(ParameterStore store, IProcessGroup team)
    {
        (_store, _team, _values) = (store, team, team is IDeviceProcessGroup ? [] : new float[store.Count]);
        int words = (int)Math.Clamp(store.Count / Buckets / Quad * Quad, LeastWords, MostWords);
        int count = (int)((store.Count + words - 1) / words);
        _buckets = [.. Enumerable.Range(0, count).Reverse().Select(index => Make((long)index * words, words))];
    }

    /// <summary>Sends gradients while a tape's backward pass runs.</summary>
    public void Watch(Tape tape, BatchShard share) => tape.OnNode += new Pass(this, tape, share).BeforeNode;

    /// <summary>Ends the sum of a pass: the store's gradients become those of the whole batch.</summary>
    public void Finish()
    {
        _team.Wait();
        if (_values.Length > 0) _store.Device.Upload(_values, _store.Gradients);
    }

    private Bucket Make(long first, int words)
    {
        long count = Math.Min(words, _store.Count - first), offset = 0;
        List<Parameter> parameters = [];
        foreach (var parameter in _store.Parameters)
        {
            long end = offset + parameter.Shape.Count;
            if (offset < first + count && end > first) parameters.Add(parameter);
            offset = end;
        }
        return new Bucket(_store.Gradients.View(first, count), (int)first, (int)count, parameters);
    }

    private void Send(Bucket bucket, bool counts)
    {
        // The placeholder image of an empty shard does not count.
        if (_team is IDeviceProcessGroup direct)
        {
            if (!counts) _store.Device.Upload(new float[bucket.Count], bucket.Gradients);
            direct.StartAllReduce(bucket.Gradients);
            return;
        }
        var values = _values.AsMemory(bucket.First, bucket.Count);
        if (counts) _store.Device.Download(bucket.Gradients, values.Span);
        else values.Span.Clear();
        _team.StartAllReduce(values);
    }

    /// <summary>A range of the gradients, and the parameters whose gradients reach into it.</summary>
    private sealed record Bucket(DeviceBuffer Gradients, int First, int Count, List<Parameter> Parameters);

    /// <summary>A tape's backward pass, which ends with the first node of the tape.</summary>
    private sealed class Pass(GradientSum sum, Tape tape, BatchShard share)
    {
        private readonly Dictionary<Node, int> _places = [];
        private int[] _firsts = []; // for each bucket the first node that uses it, which is the last to write into it
        private int _next;

        public void BeforeNode(Node? node, bool backward)
        {
            if (!backward) return;
            if (_firsts.Length == 0) Learn();
            int place = node is null ? -1 : _places[node];
            for (; _next < _firsts.Length && _firsts[_next] > place; _next++) sum.Send(sum._buckets[_next], share.Count > 0);
            if (node is null) _next = 0;
        }

        private void Learn()
        {
            var users = new Dictionary<Tensor, int>();
            foreach (var (place, node) in tape.Nodes.Index())
            {
                _places[node] = place;
                foreach (var edge in node.Inputs) users.TryAdd(edge.Tensor, place);
            }
            _firsts = [.. sum._buckets.Select(bucket => bucket.Parameters.Min(p => users.GetValueOrDefault(p, int.MaxValue)))];
        }
    }
}
