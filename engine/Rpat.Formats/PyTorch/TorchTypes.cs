namespace Rpat.Formats.PyTorch;

/// <summary>PyTorch's names of element types: of storages (<c>FloatStorage</c>) and dtypes (<c>float32</c>).</summary>
internal static class TorchTypes
{
    /// <summary>The storage whose elements have no type.</summary>
    public const string Untyped = "Untyped";

    private static readonly (string Kind, ElementType Type)[] _kinds =
    [
        ("Float", ElementType.F32), ("Double", ElementType.F64), ("Half", ElementType.F16), ("BFloat16", ElementType.BF16),
        ("Long", ElementType.I64), ("Int", ElementType.I32), ("Short", ElementType.I16), ("Char", ElementType.I8),
        ("Byte", ElementType.U8), ("Bool", ElementType.Bool), ("ComplexFloat", ElementType.C64),
    ];

    private static readonly Dictionary<string, ElementType> _dtypes = new(StringComparer.Ordinal)
    {
        ["float32"] = ElementType.F32,
        ["float"] = ElementType.F32,
        ["float64"] = ElementType.F64,
        ["double"] = ElementType.F64,
        ["float16"] = ElementType.F16,
        ["half"] = ElementType.F16,
        ["bfloat16"] = ElementType.BF16,
        ["int64"] = ElementType.I64,
        ["long"] = ElementType.I64,
        ["int32"] = ElementType.I32,
        ["int"] = ElementType.I32,
        ["int16"] = ElementType.I16,
        ["short"] = ElementType.I16,
        ["int8"] = ElementType.I8,
        ["uint8"] = ElementType.U8,
        ["uint16"] = ElementType.U16,
        ["uint32"] = ElementType.U32,
        ["uint64"] = ElementType.U64,
        ["bool"] = ElementType.Bool,
        ["complex64"] = ElementType.C64,
    };

    /// <summary>The type of a dtype's name, such as <c>torch.float32</c>; null when it is not supported.</summary>
    public static ElementType? Of(object? dtype) =>
        dtype is PickleGlobal { Module: "torch" } name && _dtypes.TryGetValue(name.Name, out ElementType type) ? type : null;

    /// <summary>Whether the name is that of a class with a known kind before the suffix; the type is null when untyped.</summary>
    public static bool TryClass(object? type, string suffix, out ElementType? element)
    {
        element = null;
        if (type is not PickleGlobal name || !name.Name.EndsWith(suffix, StringComparison.Ordinal)) return false;
        string kind = name.Name[..^suffix.Length];
        if (kind is Untyped or "_") return true;
        int index = Array.FindIndex(_kinds, k => k.Kind == kind);
        if (index >= 0) element = _kinds[index].Type;
        return index >= 0;
    }

    /// <summary>Bytes per element of a storage class whose element type is not supported; null when unknown.</summary>
    public static int? SizeOfOther(object? type) => (type as PickleGlobal)?.Name switch
    {
        "QInt8Storage" or "QUInt8Storage" or "QUInt4x2Storage" or "QUInt2x4Storage" => 1,
        "QInt32Storage" => 4,
        "ComplexDoubleStorage" => 16,
        _ => null,
    };

    /// <summary>The storage class that holds elements of a type.</summary>
    /// <exception cref="ArgumentException">PyTorch has no such storage.</exception>
    public static string StorageOf(ElementType type)
    {
        int index = Array.FindIndex(_kinds, k => k.Type == type);
        return index >= 0 ? _kinds[index].Kind + "Storage"
            : throw new ArgumentException($"PyTorch files hold no elements of type {type}: convert them.");
    }
}
