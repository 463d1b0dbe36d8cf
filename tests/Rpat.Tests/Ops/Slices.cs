using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Parts of arrays.</summary>
internal static class Slices
{
    /// <summary>Some samples of (N, C, H, W): filters of a weight.</summary>
    public static Array4 Samples(Array4 x, int[] which)
    {
        Array4 part = new(which.Length, x.C, x.H, x.W);
        for (int i = 0; i < which.Length; i++) x.Sample(which[i]).CopyTo(part.Sample(i));
        return part;
    }

    /// <summary>Some channels of every sample.</summary>
    public static Array4 Channels(Array4 x, int[] which)
    {
        Array4 part = new(x.N, which.Length, x.H, x.W);
        int area = x.H * x.W;
        for (int n = 0; n < x.N; n++)
            for (int i = 0; i < which.Length; i++)
                x.Sample(n).Slice(which[i] * area, area).CopyTo(part.Sample(n)[(i * area)..]);
        return part;
    }
}
