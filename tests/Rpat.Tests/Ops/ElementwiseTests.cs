using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Functions of one number on stored tensors and on views, in both layouts.</summary>
public class ElementwiseTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    private static readonly Array4 _a = Array4.Uniform(3, 17, 5, 7, seed: 1);

    [Fact]
    public void ActivationsAndImages()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(_a), y = graph.Elementwise(x, new Silu(), Silu);
        graph.Check(graph.Add(graph.Elementwise(y, new Shifted(0.5), v => Math.Exp(v) + Math.Log(v + 4) + 0.5), x));

        using OpGraph images = new(setups: CpuSetup.Threading);
        ReferencePair image = images.Image(Array4.Uniform(2, 3, 5, 7, seed: 1)),
            norm = images.Normalize(image, [0.1f, 0.2f, 0], [0.5f, 0.8f, 1]);
        images.Check(images.Lerp(images.Elementwise(norm, new Silu(), Silu), images.Elementwise(image, new Silu(), Silu), 0.25f));
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs, false)]
    [InlineData(BnMode.Eval, Both, true)]
    [InlineData(BnMode.Train, Both, false)]
    public void Views(BnMode mode, Gradients gradients, bool relu)
    {
        using OpGraph graph = new(gradients, CpuSetup.Threading);
        ReferencePair h = graph.BatchNorm2d(graph.Activation(_a), graph.Norm(NormValues.Random(17, seed: 3)), mode, relu);
        graph.Check(graph.Add(graph.Elementwise(h, new Silu(), Silu), h));
    }

    /// <summary>e⁰ is not 0: what the function makes of the padding must not reach a reader.</summary>
    [Fact]
    public void ChannelsThatAreNoneStayZero()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor y = lane.Tape.Elementwise(new Shifted(1), lane.Activation(Array4.Uniform(1, 3, 2, 2, seed: 1)));
        lane.Run(y, new Array4(1, 3, 2, 2));
        float[] stored = new float[16 * 4];
        lane.Device.Download(y.Data, stored);
        Assert.All(Enumerable.Range(0, stored.Length), i => Assert.Equal(i % 16 >= 3, stored[i] == 0));
    }

    /// <summary>Relative to the value, not to the largest: also where 1 + eˣ rounds to 1, and where eˣ is no normal number.</summary>
    [Fact]
    public void SmallResultsAreAsExactAsLargeOnes()
    {
        Check(new Exp(), Math.Exp, -87, 88, 1.5e-7);
        Check(new Exp(), Math.Exp, -103, -88, 0, 1.5e-45);
        Check(new Silu(), Silu, -80, 80, 3e-7);
        Check(new Sigmoid(), x => 1 / (1 + Math.Exp(-x)), -80, 80, 3e-7);
        Check(new Softplus(1), x => Math.Log(1 + Math.Exp(x)), -16, 30, 4e-7);
        Check(new Tanh(), Math.Tanh, 1e-6, 12, 4e-7);
        Check(new Tanh(), Math.Tanh, -1e-3, 1e-3, 4e-7);
        Check(new Power(2), x => x * x, -1e10, 1e10, 1e-7);
    }

    [Fact]
    public void FunctionsAtTheEndsOfTheNumbers()
    {
        float[] ends = [float.NegativeInfinity, -1e30f, -0f, 1e30f, float.PositiveInfinity, float.NaN];
        Assert.Equal([0, 0, 1, float.PositiveInfinity, float.PositiveInfinity, float.NaN], Values(new Exp(), ends));
        Assert.Equal([-1, -1, 0, 1, 1, float.NaN], Values(new Tanh(), ends));
        Assert.Equal([0, 0, 0.5f, 1, 1, float.NaN], Values(new Sigmoid(), ends));
        Assert.Equal([0, 0, MathF.Log(2), 1e30f, float.PositiveInfinity, float.NaN], Values(new Softplus(1), ends));
        Assert.Equal([float.NaN, float.NaN, float.NegativeInfinity, float.NaN], Values(new Log(), [-1, float.NegativeInfinity, 0, float.NaN]));
    }

    [Fact]
    public void GradientsFarOutAreThoseOfRoundedResults()
    {
        Assert.Equal(0, Slopes(new Sigmoid(), [17])[0]);
        Assert.Equal(0, Slopes(new Tanh(), [12])[0]);
        Assert.Equal([0, 0], Values(new Sigmoid(), [-88.8f, -100]));
        Assert.Equal(Math.Exp(-88), Values(new Sigmoid(), [-88])[0], 1e-44);
        Assert.All([1f, float.NaN, float.PositiveInfinity, float.NegativeInfinity], x => Assert.Equal(1, Values(new Power(0), [x])[0]));
        Assert.Equal([3e38f, 1.7e-5f * 1.7e-5f], [Values(new Power(1), [3e38f])[0], Values(new Power(2), [1.7e-5f])[0]]);
    }

    private static void Check<TOp>(TOp op, Func<double, double> f, double low, double high, double relative, double absolute = 0)
        where TOp : struct, IElementwise
    {
        float[] at = [.. Enumerable.Range(0, 4099).Select(i => (float)(low + (high - low) * i / 4098))], values = Values(op, at);
        for (int i = 0; i < at.Length; i++)
            Assert.InRange(values[i] - f(at[i]), -relative * Math.Abs(f(at[i])) - absolute, relative * Math.Abs(f(at[i])) + absolute);
    }

    private static float[] Values<TOp>(TOp op, float[] at) where TOp : struct, IElementwise
    {
        using Device device = CpuSetup.Best.Open();
        var tape = new Tape(device, Gradients.None);
        Tensor y = tape.Elementwise(op, Tensor.From(device, new Shape(1, 1, 1, at.Length), at));
        tape.Run();
        return y.ToArray();
    }

    private static float[] Slopes<TOp>(TOp op, float[] at) where TOp : struct, IElementwise
    {
        using Device device = CpuSetup.Best.Open();
        var tape = new Tape(device, Gradients.Inputs);
        Tensor x = Tensor.From(device, new Shape(1, at.Length), at, needsGrad: true);
        tape.Sum(tape.Elementwise(op, x));
        tape.Run();
        return x.GradToArray();
    }

    private static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>eˣ + ln(x + 4) + a number that is not compiled in.</summary>
    private readonly struct Shifted(double by) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Value<T>(T x) where T : struct, IReal<T> => T.Exp(x) + T.Log(x + 4) + by;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Derivative<T>(T x) where T : struct, IReal<T> => T.Exp(x) + 1 / (x + 4);
    }
}
