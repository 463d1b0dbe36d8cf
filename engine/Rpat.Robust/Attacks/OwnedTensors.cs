namespace Rpat.Robust.Attacks;

/// <summary>Recorded passes and their persistent tensors, whose memory is freed together before their device is disposed.</summary>
internal sealed class OwnedTensors(Device device) : IDisposable
{
    private readonly List<DeviceBuffer> _buffers = [];
    private readonly List<Tape> _tapes = [];

    /// <inheritdoc cref="Tensor.Create"/>
    public Tensor Create(Shape shape, bool needsGrad = false, string name = "input") => Own(Tensor.Create(device, shape, needsGrad, name));

    /// <summary>Takes over a persistent tensor.</summary>
    public Tensor Own(Tensor tensor)
    {
        _buffers.Add(tensor.Data);
        if (tensor.NeedsGrad) _buffers.Add(tensor.Grad);
        return tensor;
    }

    /// <summary>Takes over a tape.</summary>
    public Tape Own(Tape tape)
    {
        _tapes.Add(tape);
        return tape;
    }

    /// <summary>Labels of a batch.</summary>
    public Labels Labels(int count)
    {
        Labels labels = new(device, count);
        _buffers.Add(labels.Data);
        return labels;
    }

    /// <summary>Frees them; those that are created later are freed by the next call.</summary>
    public void Dispose()
    {
        if (!device.IsDisposed)
        {
            _tapes.ForEach(tape => tape.Release());
            _buffers.ForEach(device.Free);
        }
        _tapes.Clear();
        _buffers.Clear();
    }
}
