namespace Rpat.Engine.Devices;

/// <summary>A range of device memory, counted in 4-byte words (float32 or int32).</summary>
public abstract class DeviceBuffer
{
    /// <summary>Number of 4-byte words.</summary>
    public abstract long Length { get; }

    /// <summary>A part of this buffer that shares its memory.</summary>
    public abstract DeviceBuffer View(long offset, long length);
}
