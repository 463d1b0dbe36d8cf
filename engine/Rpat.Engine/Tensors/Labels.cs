namespace Rpat.Engine.Tensors;

/// <summary>Class indices of a batch on a device, int32 <c>[N]</c>.</summary>
public sealed class Labels
{
    private readonly int[] _values; // also on the host, so that a label out of range is found before a kernel reads past a row

    /// <summary>Allocates labels for a batch.</summary>
    public Labels(Device device, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        (Device, Count, _values) = (Argument.Given(device), count, new int[count]);
        Data = device.Allocate(count);
    }

    /// <summary>The device that holds the labels.</summary>
    public Device Device { get; }

    /// <summary>Batch size.</summary>
    public int Count { get; }

    /// <summary>The labels on the device.</summary>
    public DeviceBuffer Data { get; }

    /// <summary>The labels on the host.</summary>
    public ReadOnlySpan<int> OnHost => _values;

    /// <summary>Creates labels from values.</summary>
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
        // No Require here and below: it would format its message in every training step.
        if (values.Length != Count) throw new ShapeException("Upload", $"labels [{Count}] take {Count} values, got {values.Length}");
        values.CopyTo(_values);
        Device.Upload(values, Data);
    }

    /// <summary>Copies the labels of another batch of the same size.</summary>
    /// <exception cref="ShapeException">The sizes differ, or the devices.</exception>
    public void CopyFrom(Labels other)
    {
        if (other.Count != Count || other.Device != Device) throw new ShapeException("CopyFrom",
            $"labels [{Count}] cannot take over labels [{other.Count}]{(other.Device == Device ? "" : " of another device")}");
        other._values.CopyTo(_values, 0);
        Device.Copy(other.Data, Data);
    }

    /// <summary>Throws if a label is not in 0…classes−1; the exception names the op.</summary>
    /// <exception cref="ShapeException">A label is out of range.</exception>
    public void RequireBelow(int classes, string op)
    {
        for (int i = 0; i < Count; i++)
            if ((uint)_values[i] >= (uint)classes)
                throw new ShapeException(op, $"label {_values[i]} of sample {i} is not a class of 0 to {classes - 1}");
    }
}
