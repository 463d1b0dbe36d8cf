namespace Rpat.Nn;

/// <summary>
/// Evaluates a network on any number of images, a batch at a time; no result depends on the batch, but for the last bits on a GPU. Several
/// threads may call it: they take turns on the network's device.
/// </summary>
/// <param name="batch">Images per pass.</param>
/// <exception cref="ArgumentOutOfRangeException">The batch is below 1.</exception>
public sealed class Predictor(Classifier net, int batch = 128) : IDisposable
{
    private readonly int _batch = Bound.FromOne(batch);
    private readonly Classifier _net = Bound.Given(net);
    private bool _disposed;
    private (Tape Tape, Tensor X, Tensor Logits)? _pass;

    /// <summary>Logits <c>[N, K]</c>, row by row.</summary>
    /// <param name="images">Images <c>[N, C, H, W]</c> in [0,1] of the network's size.</param>
    /// <exception cref="ShapeException">The values are not a whole number of images.</exception>
    /// <exception cref="ArgumentException">A value is not a pixel.</exception>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public float[] Logits(ReadOnlySpan<float> images)
    {
        int size = _net.InputShape.SampleCount, count = images.Length / size;
        if (images.Length % size != 0)
            throw new ShapeException("Predictor", $"{images.Length} values are not a whole number of images {_net.InputShape}");
        PixelRange.Require(images, _net.InputShape);
        var rows = new float[count * _net.Classes];
        lock (_net.Device)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            for (int first = 0; first < count; first += _batch)
            {
                int n = Math.Min(_batch, count - first);
                Pass(images.Slice(first * size, n * size), Math.Min(_batch, count), rows.AsSpan(first * _net.Classes, n * _net.Classes));
            }
        }
        return rows;
    }

    /// <summary>The class of the largest logit of each image, <c>[N]</c>; −1 where a logit is NaN.</summary>
    /// <inheritdoc cref="Logits"/>
    public int[] Classes(ReadOnlySpan<float> images)
    {
        float[] rows = Logits(images);
        return [.. rows.Chunk(_net.Classes).Select(row => Predictions.ArgMax(row))];
    }

    /// <summary>Frees the memory of the input and of the recorded pass.</summary>
    public void Dispose()
    {
        lock (_net.Device)
        {
            _disposed = true;
            Free();
        }
    }

    private void Free()
    {
        if (_pass is { } pass && !_net.Device.IsDisposed)
        {
            pass.Tape.Release();
            _net.Device.Free(pass.X.Data);
        }
        _pass = null;
    }

    private void Pass(ReadOnlySpan<float> images, int size, Span<float> rows)
    {
        if (_pass is null || _pass.Value.X.Shape.N < size) Record(size);
        var (tape, x, logits) = _pass!.Value;
        var padded = new float[x.Shape.Count];
        images.CopyTo(padded);
        x.Upload(padded);
        tape.Forward();
        logits.ToArray().AsSpan(0, rows.Length).CopyTo(rows);
    }

    private void Record(int size)
    {
        Free();
        var tape = new Tape(_net.Device);
        var x = Tensor.Create(_net.Device, _net.InputShape.WithBatch(size), name: "images");
        _pass = (tape, x, tape.Retain(_net.Forward(tape, x, BnMode.Eval)));
    }
}
