namespace Rpat.Tests.Support;

/// <summary>Comparison bit by bit: NaN equals NaN, and 0 differs from −0.</summary>
internal static class Bits
{
    public static void Equal(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) =>
        Assert.Equal(MemoryMarshal.Cast<float, int>(expected).ToArray(), MemoryMarshal.Cast<float, int>(actual).ToArray());

    /// <summary>Fails, with the first name that differs, unless two networks have the same names and the same bytes.</summary>
    public static void Equal(Module expected, Module actual)
    {
        foreach ((NamedArray a, NamedArray b) in expected.State().Zip(actual.State(), (a, b) => (a, b)))
        {
            Assert.Equal(a.Name, b.Name);
            Assert.True(a.Data.Span.SequenceEqual(b.Data.Span), $"{a.Name} differs.");
        }
    }

    /// <summary>Whether any parameter of two networks of the same kind differs.</summary>
    public static bool Differ(Module one, Module other) =>
        one.State().Zip(other.State()).Any(pair => !pair.First.Data.Span.SequenceEqual(pair.Second.Data.Span));
}
