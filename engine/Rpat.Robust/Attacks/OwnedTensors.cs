namespace Rpat.Robust.Attacks;

/// <summary>The persistent tensors of recorded passes, freed together before their device is disposed.</summary>
internal sealed class OwnedTensors(Device device) : IDisposable
{
    private readonly List<DeviceBuffer> _buffers = [];

    /// <inheritdoc cref="Tensor.Create"/>
    public Tensor Create(Shape shape, bool needsGrad = false, string name = "input") => Own(Tensor.Create(device, shape, needsGrad, name));

    /// <summary>Takes over a persistent tensor.</summary>
    public Tensor Own(Tensor tensor)
    {
        _buffers.Add(tensor.Data);
        if (tensor.NeedsGrad) _buffers.Add(tensor.Grad);
        return tensor;
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
        if (!device.IsDisposed) _buffers.ForEach(device.Free);
        _buffers.Clear();
    }
}
