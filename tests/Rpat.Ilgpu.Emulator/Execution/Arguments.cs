using System.Runtime.CompilerServices;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>The arguments of one launch as raw bytes, each at a multiple of 16, as frames hold them.</summary>
internal sealed unsafe class Arguments
{
    public const int Alignment = 16;

    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>Bytes that an argument of a size takes.</summary>
    public static int Slot(int size) => (size + Alignment - 1) & -Alignment;

    public Arguments Add<T>(T value)
        where T : struct
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
            throw new EmulatorException($"A kernel argument of type {typeof(T).Name} holds references to managed objects, which no GPU can follow.");
        int size = Unsafe.SizeOf<T>();
        if (Length + Slot(size) > _bytes.Length) Array.Resize(ref _bytes, 2 * (Length + Slot(size)));
        Unsafe.WriteUnaligned(ref _bytes[Length], value);
        Length += Slot(size);
        return this;
    }
}
