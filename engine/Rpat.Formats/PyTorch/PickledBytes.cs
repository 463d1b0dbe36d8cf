namespace Rpat.Formats.PyTorch;

/// <summary>
/// Whole numbers from 0 to 255 in any form that a pickle may hold: a numpy array, bytes, or nested lists or tuples of numbers.
/// </summary>
internal sealed record PickledBytes(long[] Shape, byte[] Values)
{
    private const int MostNested = 4;

    /// <summary>Takes the numbers, or null when the value is not an array or list of numbers.</summary>
    /// <param name="most">How many items there may be; a pickle of a few bytes can hold a list in itself many times.</param>
    public static PickledBytes? Of(object? value, string name, long most, Func<string, Exception> fail) =>
        Of(value, name, fail, ref most, depth: 0);

    private static PickledBytes? Of(object? value, string name, Func<string, Exception> fail, ref long left, int depth) => value switch
    {
        NumpyArray array => NumpyCalls.ToArray(name, array, what => new CheckpointException(fail(what).Message)) is { } data
            ? OfArray(data, fail)
            : null,
        byte[] bytes => new([bytes.Length], bytes),
        string text when depth > 0 => new([text.Length], Encoding.Latin1.GetBytes(text)),
        PickleList list => OfItems(list.Items, name, fail, ref left, depth),
        PickleTuple tuple => OfItems(tuple.Items, name, fail, ref left, depth),
        _ => null,
    };

    private static PickledBytes? OfArray(NamedArray data, Func<string, Exception> fail)
    {
        if (data.Type is ElementType.F16 or ElementType.F32 or ElementType.F64 or ElementType.C64 or ElementType.BF16) return null;
        bool bytes = data.Type == ElementType.U8;
        return new(data.Shape, bytes ? data.Data.ToArray() : Array.ConvertAll(data.ToInt64(), v => Small(v, data.Name, fail)));
    }

    private static PickledBytes? OfItems(IReadOnlyList<object?> items, string name, Func<string, Exception> fail, ref long left, int depth)
    {
        if (items.Count == 0 || depth == MostNested) return null;
        if ((left -= items.Count) < 0) throw fail($"'{name}' has far more items than the file has bytes");
        if (items[0] is long)
            return new([items.Count], [.. items.Select(item => Small(item as long? ?? throw Mixed(name, fail), name, fail))]);
        PickledBytes? first = Of(items[0], name, fail, ref left, depth + 1);
        if (first is null) return null;
        if ((long)first.Values.Length * items.Count > left) throw fail($"'{name}' has far more items than the file has bytes");
        var values = new byte[first.Values.Length * items.Count];
        for (int i = 0; i < items.Count; i++)
        {
            PickledBytes? item = i == 0 ? first : Of(items[i], name, fail, ref left, depth + 1);
            if (item is null || !item.Shape.AsSpan().SequenceEqual(first.Shape)) throw Mixed(name, fail);
            item.Values.CopyTo(values, i * first.Values.Length);
        }

        return new([items.Count, .. first.Shape], values);
    }

    private static byte Small(long value, string name, Func<string, Exception> fail) =>
        value is >= 0 and <= 255 ? (byte)value : throw fail($"'{name}' holds {value} where 0 to 255 are expected");

    private static Exception Mixed(string name, Func<string, Exception> fail) =>
        fail($"the items of '{name}' are of different kinds or lengths");
}
