namespace Rpat.Engine.Devices;

/// <summary>A kernel's input: stored values, and a map per channel to apply while loading them (null: none).</summary>
public readonly record struct Operand(DeviceBuffer Data, DeviceBuffer? Scale, DeviceBuffer? Shift, bool Relu)
{
    /// <summary>Whether a map is applied.</summary>
    public bool IsView => Scale is not null;

    /// <summary>Reads stored values as they are.</summary>
    public static implicit operator Operand(DeviceBuffer data) => new(data, null, null, false);
}
