using System.Threading.Channels;

namespace Rpat.Formats.Data;

/// <summary>
/// The batches of an epoch in shuffled order, made in the background while the previous batch is trained on. The background work
/// changes when a batch is made, never what it contains.
/// </summary>
public sealed class BatchStream
{
    // One batch is being trained on, one is ready, one is being made.
    private const int Buffers = 3;

    private readonly LabeledImages _set;
    private readonly BatchOptions _options;
    private readonly ulong _seed;
    private readonly ImageBatch[] _buffers;

    /// <summary>Prepares the batches of a set.</summary>
    /// <param name="options">How batches are made; a batch size above that of the set is reduced to it.</param>
    /// <param name="seed">The run's seed, which determines the order of each epoch and the augmentation of each image.</param>
    /// <exception cref="ArgumentException">The set is empty, the batches are, or the border does not fit an image.</exception>
    public BatchStream(LabeledImages set, BatchOptions options, ulong seed)
    {
        if (set.Count == 0 || options.Size < 1)
            throw new ArgumentException($"There are no batches of {options.Size} of the {set.Count} images of '{set.Name}'.");
        int most = options.Augment.Border == CropBorder.Reflect ? Math.Min(set.Height, set.Width) - 1 : int.MaxValue;
        if (options.Augment.Pad < 0 || options.Augment.Pad > most)
            throw new ArgumentException($"A border of {options.Augment.Pad} pixels does not fit the images of '{set.Name}'.");
        (_set, _options, _seed) = (set, options with { Size = Math.Min(options.Size, set.Count) }, seed);
        _buffers = [.. Enumerable.Range(0, Buffers).Select(_ => new ImageBatch(set, _options))];
    }

    /// <summary>Batches in an epoch.</summary>
    public int Count => _options.Batches(_set.Count);

    /// <summary>
    /// The batches of one epoch. Each is valid until the next one is requested. Only one enumeration may run at a time; leaving it
    /// early is allowed and stops the background work.
    /// </summary>
    /// <param name="first">The first batch, for a run that resumes in the middle of an epoch.</param>
    public IEnumerable<ImageBatch> Epoch(int epoch, int first = 0)
    {
        using var leave = new CancellationTokenSource();
        Channel<ImageBatch> free = Pipe(), ready = Pipe();
        foreach (ImageBatch buffer in _buffers) free.Writer.TryWrite(buffer);
        Task producer = Task.Run(() => Produce(epoch, first, free.Reader, ready.Writer, leave.Token));
        try
        {
            while (Wait(ready.Reader) && ready.Reader.TryRead(out ImageBatch? batch))
            {
                yield return batch;
                free.Writer.TryWrite(batch);
            }
        }
        finally
        {
            // The next epoch reuses the buffers: nothing may still be filling one when it begins.
            leave.Cancel();
            producer.GetAwaiter().GetResult();
        }
    }

    private static Channel<ImageBatch> Pipe() =>
        Channel.CreateBounded<ImageBatch>(new BoundedChannelOptions(Buffers) { SingleReader = true, SingleWriter = true });

    // False at the end of the epoch; an exception of the producer is thrown here, after the batches made before it.
    private static bool Wait(ChannelReader<ImageBatch> ready) => ready.WaitToReadAsync().AsTask().GetAwaiter().GetResult();

    // Of a set alone, the last batch may be smaller; with more images all are full, and the set's turn may end within the epoch.
    private ReadOnlySpan<int> Indices(int[] order, int epoch, int number)
    {
        int own = _options.Own(_options.Size), start = number * own;
        if (_options.More is null) return order.AsSpan(start, Math.Min(own, order.Length - start));
        var indices = new int[_options.Size];
        for (int i = 0; i < own; i++) indices[i] = order[(start + i) % order.Length];
        PhiloxStream draws = new RandomKey(_seed, Purpose.More, epoch, number, 0, 0).Stream();
        for (int i = own; i < indices.Length; i++) indices[i] = _set.Count + draws.Below(i, _options.More.Count);
        return indices;
    }

    private async Task Produce(
        int epoch, int first, ChannelReader<ImageBatch> free, ChannelWriter<ImageBatch> ready, CancellationToken leave)
    {
        try
        {
            int[] order = Permutation.Of(_set.Count, _seed, epoch);
            for (int number = first; number < Count; number++)
            {
                ImageBatch batch = await free.ReadAsync(leave).ConfigureAwait(false);
                batch.Load(Indices(order, epoch, number), _seed, epoch, number);
                ready.TryWrite(batch);
            }

            ready.Complete();
        }
        catch (Exception error)
        {
            ready.Complete(error);
        }
    }
}
