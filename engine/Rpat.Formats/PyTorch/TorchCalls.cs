namespace Rpat.Formats.PyTorch;

/// <summary>The supported calls in a pickle, as data: a closed list (formats.md 3.4). Nothing is ever executed.</summary>
internal static class TorchCalls
{
    private delegate object? Maker(IReadOnlyList<object?> arguments, Context context);

    private static readonly Dictionary<string, Maker> _makers = new(StringComparer.Ordinal)
    {
        ["collections.OrderedDict"] = Dict,
        ["collections.defaultdict"] = (_, _) => new PickleDict(),
        ["torch._utils._rebuild_tensor"] = Tensor,
        ["torch._utils._rebuild_tensor_v2"] = Tensor,
        ["torch._utils._rebuild_tensor_v3"] = (a, context) => Tensor(a, context, a.Count > 6 ? a[6] : null),
        ["torch._utils._rebuild_qtensor"] = (a, _) => a.Count > 3 ? Other("a quantised type", a[2]) : null,
        ["torch._utils._rebuild_sparse_tensor"] = Sparse,
        ["torch._utils._rebuild_sparse_csr_tensor"] = Sparse,
        ["torch._utils._rebuild_meta_tensor_no_storage"] = (a, _) => a.Count > 1 ? Other("a tensor without data", a[1]) : null,
        ["torch._utils._rebuild_device_tensor_from_numpy"] = (a, _) => a.Count > 0 ? a[0] as NumpyArray : null,
        ["torch._tensor._rebuild_from_type"] = Subclass,
        ["torch._tensor._rebuild_from_type_v2"] = Subclass,
        ["torch._utils._rebuild_parameter"] = (a, _) => a.Count > 0 ? a[0] : null,
        ["torch._utils._rebuild_parameter_with_state"] = (a, _) => a.Count > 0 ? a[0] : null,
        ["torch.Size"] = (a, _) => a.Count > 0 && a[0] is PickleTuple size ? size : null,
        ["torch.device"] = (a, _) => a.Count > 0 ? a[0] as string : null,
        ["_codecs.encode"] = Encode,
        ["__builtin__.set"] = (a, _) => a.Count > 0 && a[0] is PickleList list ? list : new PickleList(),
        ["builtins.set"] = (a, _) => a.Count > 0 && a[0] is PickleList list ? list : new PickleList(),
        ["numpy.dtype"] = (a, _) => a.Count > 0 && a[0] is string code ? new NumpyType(code) : null,
        ["numpy.core.multiarray._reconstruct"] = (_, _) => new NumpyArray(),
        ["numpy._core.multiarray._reconstruct"] = (_, _) => new NumpyArray(),
        ["numpy.core.numeric._frombuffer"] = (a, _) => NumpyCalls.FromBuffer(a),
        ["numpy._core.numeric._frombuffer"] = (a, _) => NumpyCalls.FromBuffer(a),
        ["numpy.core.multiarray.scalar"] = (a, context) => NumpyCalls.Scalar(a, context.Fail),
        ["numpy._core.multiarray.scalar"] = (a, context) => NumpyCalls.Scalar(a, context.Fail),
    };

    private readonly record struct Context(Action<long> Charge, Func<string, CheckpointException> Fail);

    /// <summary>
    /// Whether the call is on the list and has valid arguments, and what it makes. <paramref name="charge"/> receives the number of
    /// items copied, <paramref name="fail"/> makes the error for arguments that contradict each other.
    /// </summary>
    public static bool TryCall(
        PickleGlobal name, IReadOnlyList<object?> arguments, Action<long> charge, Func<string, CheckpointException> fail,
        out object? result)
    {
        result = null;
        if (name.Module.Length + name.Name.Length > 64 || !_makers.TryGetValue(name.ToString(), out Maker? make)) return false;
        result = make(arguments, new Context(charge, fail));
        return result is not null;
    }

    private static object? Dict(IReadOnlyList<object?> arguments, Context context)
    {
        var dict = new PickleDict();
        if (arguments is not [PickleList pairs]) return dict;
        context.Charge(pairs.Items.Count);
        foreach (object? pair in pairs.Items)
        {
            if (Pair(pair) is not [var key, var value]) return null;
            dict.Add(key, value);
        }
        return dict;
    }

    private static IReadOnlyList<object?>? Pair(object? pair) => pair is PickleTuple tuple ? tuple.Items : (pair as PickleList)?.Items;

    // Raw bytes in protocol 2: a text whose characters are the bytes.
    private static object? Encode(IReadOnlyList<object?> arguments, Context context)
    {
        if (arguments is not [string text, ..]) return null;
        context.Charge(text.Length / 8);
        return Encoding.Latin1.GetBytes(text);
    }

    private static object? Tensor(IReadOnlyList<object?> arguments, Context context) => Tensor(arguments, context, null);

    // A subclass of Tensor: (function that makes a plain one, class, its arguments, attributes).
    private static object? Subclass(IReadOnlyList<object?> a, Context context) =>
        a is [PickleGlobal make, _, PickleTuple arguments, ..] && !make.Name.StartsWith("_rebuild_from_type", StringComparison.Ordinal)
        && TryCall(make, arguments.Items, context.Charge, context.Fail, out object? tensor) ? tensor : null;

    private static OtherTensor? Other(string type, object? shape) =>
        Sizes(shape) is { } sizes && sizes.All(size => size >= 0) ? new OtherTensor(type, sizes) : null;

    // (layout, (indices and values, size, perhaps more)).
    private static object? Sparse(IReadOnlyList<object?> a, Context context) =>
        a is [_, PickleTuple parts] ? Other("a sparse layout", parts.Items.LastOrDefault(IsSize)) : null;

    private static bool IsSize(object? value) => value is PickleTuple && Sizes(value) is not null;

    private static object? Tensor(IReadOnlyList<object?> a, Context context, object? dtype)
    {
        if (a.Count < 4 || a[1] is not long offset) return null;
        if (a[0] is PickleObject { Type: PickleGlobal other }) return Other(other.Name, a[2]);
        if (a[0] is not StorageRef storage) return null;
        if ((TorchTypes.Of(dtype) ?? storage.Type) is not { } element)
            return Other((dtype as PickleGlobal)?.Name ?? "bytes without a type", a[2]);
        // One number repeated endlessly (stride 0).
        if (Sizes(a[2]) is { } sizes && sizes.All(size => size >= 0) && ArrayShape.Bytes(sizes, element) is null)
            return Other("more than any memory", a[2]);
        // A storage without a type is counted in bytes.
        if (storage.Type is null) storage = storage with { Count = storage.Count / element.Size() };
        return Make(storage, element, offset, Sizes(a[2]), Sizes(a[3]), context.Fail);
    }

    /// <summary>A checked tensor: all its elements lie within its storage.</summary>
    public static TensorRef Make(
        StorageRef storage, ElementType type, long offset, long[]? shape, long[]? strides, Func<string, CheckpointException> fail)
    {
        if (shape is null || strides is null || shape.Length != strides.Length || ArrayShape.Bytes(shape, type) is null)
            throw fail("a tensor has an impossible shape");
        Int128 last = offset;
        for (int axis = 0; axis < shape.Length; axis++) last += (Int128)Math.Max(0, shape[axis] - 1) * strides[axis];
        bool fits = offset >= 0 && strides.All(stride => stride >= 0) && (shape.Contains(0) || last < storage.Count);
        if (!fits) throw fail($"a tensor of shape {ArrayShape.Text(shape)} reaches beyond its storage of {storage.Count} elements");
        return new TensorRef(storage, type, offset, shape, strides);
    }

    /// <summary>The whole numbers of a tuple or list that is short enough to be a shape.</summary>
    public static long[]? Sizes(object? value)
    {
        IReadOnlyList<object?>? items = Pair(value);
        if (items is null || items.Count > ArrayShape.MaxRank || !items.All(item => item is long)) return null;
        return [.. items.Select(item => (long)item!)];
    }
}
