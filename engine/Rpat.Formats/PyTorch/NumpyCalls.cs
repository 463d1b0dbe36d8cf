namespace Rpat.Formats.PyTorch;

/// <summary>numpy numbers and arrays inside pickles: best accuracies, and the pixels of CIFAR batches.</summary>
internal static class NumpyCalls
{
    /// <summary>The state of a dtype: (version, byte order, ...).</summary>
    public static void Build(NumpyType type, object? state)
    {
        if (state is PickleTuple { Items: [_, string { Length: 1 } order, ..] }) type.Order = order;
    }

    /// <summary>The state of an array: (version, shape, dtype, Fortran order, bytes).</summary>
    public static void Build(NumpyArray array, object? state, Func<string, CheckpointException> fail)
    {
        if (state is not PickleTuple { Items: [_, var shape, NumpyType type, bool fortran, var content] }) return;
        array.Shape = TorchCalls.Sizes(shape) ?? throw fail("a numpy array has an impossible shape");
        // The bytes are null of an array of objects.
        (array.Type, array.Strides, array.Data) = (type, fortran ? Npy.FortranStrides(array.Shape) : null, Raw(content));
    }

    /// <summary>
    /// An array as protocol 5 writes it, or null when it is of another form: from (bytes, dtype, shape, order), or, if it was transposed,
    /// from (bytes, dtype, shape of the bytes, "K", their axis for each of its own), which newer versions of numpy 2 write.
    /// </summary>
    public static NumpyArray? FromBuffer(IReadOnlyList<object?> arguments)
    {
        if (arguments is not [var content, NumpyType type, var shape, string order, ..] || arguments.Count > 5
            || Raw(content) is not { } data || TorchCalls.Sizes(shape) is not { } sizes) return null;
        var array = new NumpyArray { Type = type, Shape = sizes, Strides = order == "F" ? Npy.FortranStrides(sizes) : null, Data = data };
        if (arguments.Count == 4) return array;
        if (order != "K" || TorchCalls.Sizes(arguments[4]) is not { } axes
            || !axes.Order().SequenceEqual(Enumerable.Range(0, sizes.Length).Select(axis => (long)axis))) return null;
        long[] strides = Npy.Strides(sizes);
        (array.Shape, array.Strides) = ([.. axes.Select(axis => sizes[axis])], [.. axes.Select(axis => strides[axis])]);
        return array;
    }

    /// <summary>A number from (dtype, bytes), or null when its type is not supported.</summary>
    public static object? Scalar(IReadOnlyList<object?> arguments, Func<string, CheckpointException> fail)
    {
        if (arguments is not [NumpyType type, var content] || Raw(content) is not { } data) return null;
        if (ToArray("number", new NumpyArray { Type = type, Data = data }, fail) is not { } number) return null;
        if (number.Type == ElementType.Bool) return data[0] != 0;
        return number.Type is ElementType.F16 or ElementType.F32 ? (double)number.ToFloats()[0]
            : number.Type == ElementType.F64 ? MemoryMarshal.Read<double>(number.Data.Span)
            : number.Type is ElementType.C64 or ElementType.U64 ? null
            : number.ToInt64()[0];
    }

    /// <summary>The array's element type, or null when it is not supported.</summary>
    public static ElementType? TypeOf(NumpyArray array, Func<string, CheckpointException> fail)
    {
        if (array.Type is null || array.Data is null || !NpyHeader.TryParseDescr(array.Type.Descr, out var type, out _)) return null;
        return ArrayShape.Bytes(array.Shape, type) == array.Data.Length ? type
            : throw fail($"a numpy array of shape {ArrayShape.Text(array.Shape)} has {array.Data.Length} bytes");
    }

    /// <summary>The array row-major and little-endian, or null when its element type is not supported.</summary>
    public static NamedArray? ToArray(string name, NumpyArray array, Func<string, CheckpointException> fail)
    {
        if (TypeOf(array, fail) is not { } type) return null;
        byte[] data = [.. array.Data!];
        NpyHeader.TryParseDescr(array.Type!.Descr, out _, out bool bigEndian);
        if (bigEndian) StreamReading.SwapBytes(data, type);
        if (array.Strides is { } strides) data = Npy.Gather(data, array.Shape, strides, type.Size());
        return new NamedArray(name, type, array.Shape, data);
    }

    // Python 2 wrote short bytes and texts alike.
    private static byte[]? Raw(object? content) => content is string text ? Encoding.Latin1.GetBytes(text) : content as byte[];
}
