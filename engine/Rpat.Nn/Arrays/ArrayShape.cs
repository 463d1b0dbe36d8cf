namespace Rpat.Nn.Arrays;

/// <summary>Checks and formats shapes that come from files, whose numbers cannot be trusted.</summary>
public static class ArrayShape
{
    /// <summary>The largest number of dimensions.</summary>
    public const int MaxRank = 32;
    /// <summary>The largest size of one dimension.</summary>
    public const long MaxSize = 1L << 48;

    /// <summary>The size of an array in bytes, or null if the rank, a size or the product is out of range.</summary>
    public static long? Bytes(ReadOnlySpan<long> shape, ElementType type)
    {
        if (shape.Length > MaxRank) return null;
        Int128 bytes = type.Size();
        bool empty = false;
        foreach (long size in shape)
        {
            if (size is < 0 or > MaxSize) return null;
            if (size == 0) empty = true;
            else if ((bytes *= size) > long.MaxValue) return null;
        }
        return empty ? 0 : (long)bytes;
    }

    /// <summary>A shape as shown in messages: [2, 3].</summary>
    public static string Text(ReadOnlySpan<long> shape)
    {
        var sizes = new string[shape.Length];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = shape[i].ToString(CultureInfo.InvariantCulture);
        return $"[{string.Join(", ", sizes)}]";
    }
}
