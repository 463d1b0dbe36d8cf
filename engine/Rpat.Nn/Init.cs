namespace Rpat.Nn;

/// <summary>How a weight is initialised (methods.md 0.3, 1.9).</summary>
public sealed record Init
{
    private readonly Func<IReadOnlyList<int>, (double Scale, bool Normal)> _rule;
    private float Centre { get; init; }

    /// <summary>A custom rule.</summary>
    /// <param name="rule">
    /// Maps the parameter's sizes to the half-width of a uniform distribution around 0, or to the standard deviation of a normal one.
    /// </param>
    public Init(Func<IReadOnlyList<int>, (double Scale, bool Normal)> rule) => _rule = rule;

    /// <summary>PyTorch's default for convolutions and linear layers: U(−1/√fan_in, 1/√fan_in).</summary>
    public static Init Default { get; } = new(d => (1 / Math.Sqrt(FanIn(d)), false));

    /// <summary>N(0, 2/(k²·C_out)): He's rule by fan-out, for WideResNet's convolutions.</summary>
    public static Init HeFanOut { get; } = new(d => (Math.Sqrt(2.0 / (d[0] * d[2] * d[3])), true));

    /// <summary>Zeros.</summary>
    public static Init Zero { get; } = new(_ => (0, false));

    /// <summary>Ones.</summary>
    public static Init One { get; } = new(_ => (0, false)) { Centre = 1 };

    /// <summary>PyTorch's default for the bias of a layer with that many inputs.</summary>
    public static Init DefaultBias(int fanIn) => new(_ => (1 / Math.Sqrt(fanIn), false));

    /// <summary>The values of a parameter, which depend only on the seed and the parameter's index in the network.</summary>
    public float[] Draw(IReadOnlyList<int> dimensions, ulong seed, int index)
    {
        var (scale, normal) = _rule(dimensions);
        var values = new float[dimensions.Aggregate(1, (a, b) => a * b)];
        var stream = new RandomKey(seed, Purpose.Init, 0, index, 0, 0).Stream();
        if (normal) stream.FillNormal(values);
        else stream.FillSymmetric(values);
        for (int i = 0; i < values.Length; i++) values[i] = (float)(values[i] * scale) + Centre;
        return values;
    }

    private static int FanIn(IReadOnlyList<int> d) => d.Skip(1).Aggregate(1, (a, b) => a * b);
}
