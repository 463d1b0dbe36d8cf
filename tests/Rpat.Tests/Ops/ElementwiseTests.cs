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
            norm = images.Normalize(image, [0.1f, -0.2f, 0], [0.5f, 2, 1]);
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

    private static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>eˣ + ln(x + 4) + a number that is not compiled in.</summary>
    private readonly struct Shifted(double by) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => math.Exp(x) + math.Log(x + 4) + by;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => math.Exp(x) + 1 / (x + 4);
    }
}
