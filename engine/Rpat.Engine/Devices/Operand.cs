namespace Rpat.Engine.Devices;

/// <summary>What a kernel reads: stored values, and the map to apply while loading them (null: none).</summary>
/// <param name="Data">Stored values.</param>
/// <param name="Scale">Factor a channel, or null.</param>
/// <param name="Shift">Summand a channel, or null.</param>
/// <param name="Relu">Clamp at zero after the map.</param>
public readonly record struct Operand(DeviceBuffer Data, DeviceBuffer? Scale, DeviceBuffer? Shift, bool Relu)
{
    /// <summary>Whether a map is applied.</summary>
    public bool IsView => Scale is not null;

    /// <summary>Reads stored values as they are.</summary>
    public static implicit operator Operand(DeviceBuffer data) => new(data, null, null, false);
}
