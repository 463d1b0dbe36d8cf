namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Native memory, aligned to 64 bytes, with slack after its end that kernels may read but whose contents are never used.</summary>
internal sealed unsafe class CpuBuffer(float* pointer, long length, void* memory, CpuBuffer? owner = null) : DeviceBuffer
{
    private const int Slack = 256; // words that a tile may read past the end
    private const int Alignment = 64;

    private bool _isFreed;

    /// <summary>The first word.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    public float* Pointer => (owner ?? this)._isFreed ? throw Device.Gone("cpu") : pointer;

    public override long Length => length;

    /// <summary>
    /// Zeros, as the system hands them out: pages that nothing writes, such as gradients and momenta in an evaluation, take no memory.
    /// </summary>
    public static CpuBuffer Allocate(long words)
    {
        void* memory = NativeMemory.AllocZeroed(checked((nuint)(words + Slack) * sizeof(float) + Alignment - 1));
        return new CpuBuffer((float*)(((nuint)memory + Alignment - 1) / Alignment * Alignment), words, memory);
    }

    public override DeviceBuffer View(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Math.Min(offset, length));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Length);
        return new CpuBuffer(Pointer + offset, length, null, owner ?? this);
    }

    public void Free()
    {
        NativeMemory.Free(memory);
        _isFreed = true;
    }
}

internal static unsafe class CpuBufferExtensions
{
    public static float* Floats(this DeviceBuffer buffer) => ((CpuBuffer)buffer).Pointer;

    public static float* FloatsOrNull(this DeviceBuffer? buffer) => buffer is null ? null : ((CpuBuffer)buffer).Pointer;

    public static int* Ints(this DeviceBuffer buffer) => (int*)((CpuBuffer)buffer).Pointer;
}
