namespace Rpat.Engine;

/// <summary>Class indices of a batch on a device, int32 <c>[N]</c>.</summary>
public sealed class Labels
{
    private readonly Device _device;

    /// <summary>Allocates labels for a batch.</summary>
    /// <param name="device">Where they live.</param>
    /// <param name="count">Batch size.</param>
    public Labels(Device device, int count)
    {
        (_device, Count) = (device, count);
        Data = device.Allocate(count);
    }

    /// <summary>Batch size.</summary>
    public int Count { get; }

    /// <summary>The labels on the device.</summary>
    public DeviceBuffer Data { get; }

    /// <summary>Makes labels from values.</summary>
    public static Labels From(Device device, ReadOnlySpan<int> values)
    {
        var labels = new Labels(device, values.Length);
        labels.Upload(values);
        return labels;
    }

    /// <summary>Copies labels to the device.</summary>
    /// <exception cref="ShapeException">The number of labels is not <see cref="Count"/>.</exception>
    public void Upload(ReadOnlySpan<int> values)
    {
        ShapeException.Require(values.Length == Count, "Upload", $"labels [{Count}] take {Count} values, got {values.Length}");
        _device.Upload(values, Data);
    }
}
