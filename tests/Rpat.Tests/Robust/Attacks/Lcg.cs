namespace Rpat.Tests.Robust.Attacks;

/// <summary>The generator of the fixtures of attacks.md 4.5: 32-bit, linear congruential, the upper 24 bits as a number in [0,1).</summary>
internal sealed class Lcg(uint seed)
{
    private uint _state = seed;

    /// <summary>Numbers drawn so far.</summary>
    public int Count { get; private set; }

    public double Next()
    {
        Count++;
        _state = unchecked(_state * 1664525 + 1013904223);
        return (_state >> 8) / (double)(1 << 24);
    }

    /// <summary>Row-major values, each mapped.</summary>
    public double[] Fill(int count, Func<double, double>? map = null)
    {
        var values = new double[count];
        for (int i = 0; i < count; i++) values[i] = map is null ? Next() : map(Next());
        return values;
    }
}
