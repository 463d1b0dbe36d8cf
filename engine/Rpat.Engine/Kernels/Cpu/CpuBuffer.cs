namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Native memory, aligned to 64 bytes, with slack after its end that kernels may read but whose contents are never used.</summary>
internal sealed unsafe class CpuBuffer : DeviceBuffer
{
    private const int Slack = 256; // words that a tile may read past the end
    private const int Alignment = 64;

    private CpuBuffer(float* pointer, long length, bool owner)
    {
        Pointer = pointer;
        Length = length;
        IsOwner = owner;
    }

    public float* Pointer { get; private set; }

    public override long Length { get; }

    /// <summary>False for a view of another buffer.</summary>
    public bool IsOwner { get; }

    public static CpuBuffer Allocate(long words)
    {
        nuint bytes = checked((nuint)(words + Slack) * sizeof(float));
        float* pointer = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(pointer, bytes);
        return new CpuBuffer(pointer, words, owner: true);
    }

    public override DeviceBuffer View(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Length);
        return new CpuBuffer(Pointer + offset, length, owner: false);
    }

    public void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}

internal static unsafe class CpuBufferExtensions
{
    public static float* Floats(this DeviceBuffer buffer) => ((CpuBuffer)buffer).Pointer;

    public static float* FloatsOrNull(this DeviceBuffer? buffer) => buffer is null ? null : ((CpuBuffer)buffer).Pointer;

    public static int* Ints(this DeviceBuffer buffer) => (int*)((CpuBuffer)buffer).Pointer;
}
