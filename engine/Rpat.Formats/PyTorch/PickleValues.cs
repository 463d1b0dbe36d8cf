namespace Rpat.Formats.PyTorch;

// What a pickle contains once it is read. Texts, whole numbers (long or BigInteger), doubles, bools, byte arrays and null are
// themselves; everything else is one of these. None of them does anything.

/// <summary>The name of a class or function: never looked up, never called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A tuple.</summary>
internal sealed record PickleTuple(IReadOnlyList<object?> Items)
{
    public static PickleTuple Empty { get; } = new([]);
}

/// <summary>A list or a set.</summary>
internal sealed class PickleList
{
    private List<object?>? _items;

    public IReadOnlyList<object?> Items => _items ?? (IReadOnlyList<object?>)[];

    public void Add(object? item) => (_items ??= []).Add(item);
}

/// <summary>A dict in insertion order; a key set twice appears twice, the last one counts.</summary>
internal sealed class PickleDict
{
    private List<KeyValuePair<object?, object?>>? _items;

    public IReadOnlyList<KeyValuePair<object?, object?>> Items => _items ?? (IReadOnlyList<KeyValuePair<object?, object?>>)[];

    public void Add(object? key, object? value) => (_items ??= []).Add(new(key, value));

    /// <summary>The last value under a text key, which may be stored as bytes, or null.</summary>
    public object? Find(string key) => _items?.FindLast(item => item.Key switch
    {
        string text => text == key,
        byte[] bytes => bytes.Length == key.Length && System.Text.Encoding.Latin1.GetString(bytes) == key,
        _ => false,
    }).Value;
}

/// <summary>An object of an unsupported class, or the call of an unsupported function: an inert record of what the file contains.</summary>
internal sealed class PickleObject(object? type, object? arguments)
{
    /// <summary>Usually a <see cref="PickleGlobal"/>.</summary>
    public object? Type { get; } = type;

    /// <summary>What it would have been made from.</summary>
    public object? Arguments { get; } = arguments;

    /// <summary>What it would have been given afterwards, usually its attributes.</summary>
    public object? State { get; set; }

    /// <summary>Items added to it, if it acts as a list.</summary>
    public PickleList? List { get; set; }

    /// <summary>Items set in it, if it acts as a dict.</summary>
    public PickleDict? Dict { get; set; }
}

/// <summary>A range of a storage, which several tensors may share.</summary>
/// <param name="Key">Name of the root storage in the file.</param>
/// <param name="Type">Element type, or null for raw bytes whose tensors have the type.</param>
/// <param name="Start">First element in the root storage.</param>
/// <param name="Count">Number of elements (of bytes without a type).</param>
internal sealed record StorageRef(string Key, ElementType? Type, long Start, long Count);

/// <summary>A tensor: a window on a storage. All counts are in elements.</summary>
internal sealed record TensorRef(StorageRef Storage, ElementType Type, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Bytes of the tensor when written out row-major.</summary>
    public long Bytes => ArrayShape.Bytes(Shape, Type)!.Value;

    /// <summary>Elements from the first to the last one that are used; 0 without elements.</summary>
    public long Extent => Shape.Contains(0) ? 0 : 1 + Shape.Select((size, axis) => (size - 1) * Strides[axis]).Sum();

    /// <summary>Whether the elements are in row-major order without gaps.</summary>
    public bool IsRowMajor
    {
        get
        {
            long expected = 1;
            for (int axis = Shape.Length - 1; axis >= 0; expected *= Shape[axis--])
                if (Shape[axis] > 1 && Strides[axis] != expected) return false;
            return true;
        }
    }
}

/// <summary>A tensor whose element type is not supported, such as an 8-bit float: only its type and shape.</summary>
internal sealed record OtherTensor(string Type, long[] Shape);

/// <summary>A numpy element type: <c>f8</c> and its byte order, which arrives later.</summary>
internal sealed class NumpyType(string code)
{
    /// <summary>As numpy writes it, such as <c>&lt;f8</c>.</summary>
    public string Descr => Order + code;

    public string Order { get; set; } = "|";
}

/// <summary>A numpy array; its content arrives after its creation.</summary>
internal sealed class NumpyArray
{
    public NumpyType? Type { get; set; }
    public long[] Shape { get; set; } = [];

    /// <summary>How far apart neighbours along each axis are, in elements; null if row-major.</summary>
    public long[]? Strides { get; set; }

    public byte[]? Data { get; set; }
}
