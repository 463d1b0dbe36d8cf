namespace Rpat.Nn.Arrays;

/// <summary>
/// An array as stored in a file: a name, an element type, a shape and the elements' bytes, row-major and little-endian (hosts are
/// little-endian, so no bytes are swapped in memory). At most 2 GiB.
/// </summary>
/// <param name="Name">The name within its file, e.g. <c>conv1.weight</c>.</param>
/// <param name="Shape">The sizes, slowest dimension first; empty for a scalar; a size of 0 makes an empty array.</param>
/// <param name="Data">Exactly product(Shape) × size(Type) bytes.</param>
/// <exception cref="ArgumentException">The number of bytes does not match the shape.</exception>
public sealed record NamedArray(string Name, ElementType Type, long[] Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>The elements' bytes, row-major and little-endian.</summary>
    public ReadOnlyMemory<byte> Data { get; } = Fitting(Name, Type, Shape, Data);

    /// <summary>The number of elements.</summary>
    public int Count => Data.Length / Type.Size();

    /// <summary>Its name, type and sizes.</summary>
    public override string ToString() => $"{Name} {Type} [{string.Join(", ", Shape)}]";

    /// <summary>Creates an F32 array from a copy of product(shape) values, row-major; no sizes for a scalar.</summary>
    public static NamedArray FromFloats(string name, ReadOnlySpan<float> values, params long[] shape) =>
        new(name, ElementType.F32, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Creates an I64 array from a copy of product(shape) values, row-major; no sizes for a scalar.</summary>
    public static NamedArray FromInt64(string name, ReadOnlySpan<long> values, params long[] shape) =>
        new(name, ElementType.I64, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>The elements as float32, rounded to nearest where the type is wider.</summary>
    /// <exception cref="DataException">The elements are complex.</exception>
    public float[] ToFloats() => Type switch
    {
        ElementType.F32 => Cast<float>().ToArray(),
        ElementType.F64 => Map<double, float>(v => (float)v),
        ElementType.F16 => Map<Half, float>(v => (float)v),
        ElementType.BF16 => Map<ushort, float>(v => BitConverter.UInt32BitsToSingle((uint)v << 16)),
        ElementType.U64 => Map<ulong, float>(v => v),
        ElementType.C64 => throw NotConvertible("real"),
        _ => Array.ConvertAll(ToInt64(), v => (float)v),
    };

    /// <summary>The elements of an integer or Boolean array as 64-bit integers.</summary>
    /// <exception cref="DataException">The elements are not integers, or one is above 2^63 - 1.</exception>
    public long[] ToInt64() => Type switch
    {
        ElementType.Bool or ElementType.U8 => Map<byte, long>(v => v),
        ElementType.I8 => Map<sbyte, long>(v => v),
        ElementType.I16 => Map<short, long>(v => v),
        ElementType.U16 => Map<ushort, long>(v => v),
        ElementType.I32 => Map<int, long>(v => v),
        ElementType.U32 => Map<uint, long>(v => v),
        ElementType.I64 => Cast<long>().ToArray(),
        ElementType.U64 => Map<ulong, long>(v => v <= long.MaxValue ? (long)v : throw NotConvertible("signed 64-bit")),
        _ => throw NotConvertible("integer"),
    };

    private ReadOnlySpan<T> Cast<T>()
        where T : struct => MemoryMarshal.Cast<byte, T>(Data.Span);

    private TTo[] Map<TFrom, TTo>(Func<TFrom, TTo> convert)
        where TFrom : struct
    {
        ReadOnlySpan<TFrom> from = Cast<TFrom>();
        var to = new TTo[from.Length];
        for (int i = 0; i < to.Length; i++) to[i] = convert(from[i]);
        return to;
    }

    private DataException NotConvertible(string kind) =>
        new($"Array '{Name}' of type {Type} does not hold {kind} numbers only: convert it before saving it.");

    private static ReadOnlyMemory<byte> Fitting(string name, ElementType type, long[] shape, ReadOnlyMemory<byte> data) =>
        ArrayShape.Bytes(shape, type) == data.Length
            ? data
            : throw new ArgumentException(
                $"Array '{name}' of type {type} and shape {ArrayShape.Text(shape)} does not fit its {data.Length} bytes.", nameof(data));
}
