using System.Globalization;

namespace Rpat.Engine.IO;

/// <summary>Checks and prints shapes that come from files, where no number can be trusted.</summary>
internal static class ArrayShape
{
    internal const int MaxRank = 32;
    internal const long MaxSize = 1L << 48;

    /// <summary>The bytes of an array, or null when the rank, a size or the product is out of the accepted range.</summary>
    internal static long? Bytes(ReadOnlySpan<long> shape, ElementType type)
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

    internal static string Text(ReadOnlySpan<long> shape)
    {
        var sizes = new string[shape.Length];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = shape[i].ToString(CultureInfo.InvariantCulture);
        return $"[{string.Join(", ", sizes)}]";
    }
}
