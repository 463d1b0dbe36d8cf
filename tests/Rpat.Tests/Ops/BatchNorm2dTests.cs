using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

/// <summary>Batch norms, read by an op that stores the view; convolutions that read it are in <see cref="Conv2dGraphTests"/>.</summary>
public class BatchNorm2dTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    /// <summary>All modes and kinds of gradient, with and without ReLU.</summary>
    public static TheoryData<BnMode, Gradients, bool> Modes
    {
        get
        {
            TheoryData<BnMode, Gradients, bool> data = [];
            foreach (BnMode mode in Enum.GetValues<BnMode>())
                foreach (Gradients gradients in new[] { Gradients.None, Gradients.Inputs, Gradients.Parameters, Both })
                    foreach (bool relu in new[] { false, true })
                        data.Add(mode, gradients, relu);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void ValuesGradientsAndRunningStatistics(BnMode mode, Gradients gradients, bool relu)
    {
        using OpGraph graph = new(gradients, CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 17, 5, 7, seed: 1).Map(v => v + 0.5));
        graph.Check(graph.BatchNorm2d(x, graph.Norm(NormValues.Random(17, seed: 2)), mode, relu));
    }

    /// <summary>A penalty on γ adds to its gradient alone, in every run anew.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GammaOrBetaAloneInAnotherOp(bool isGamma)
    {
        using Device device = Device.Cpu(1);
        var store = new ParameterStore(device);
        var norm = new BatchNorm2d(store, "bn", 3);
        store.Allocate();
        norm.Weight.Upload([1, 2, 3]);
        norm.Bias.Upload([0.5f, 1, 2]);
        var tape = new Tape(device, Gradients.Parameters);
        Tensor x = tape.ToActivations(Tensor.From(device, new Shape(2, 3, 1, 2), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
        tape.Sum(tape.GlobalAveragePool(tape.BatchNorm2d(x, norm, BnMode.Train)));
        Parameter shared = isGamma ? norm.Weight : norm.Bias;
        tape.Sum(tape.Multiply(shared, shared));
        for (int run = 0; run < 3; run++)
        {
            tape.Run();
            float[] gamma = norm.Weight.GradToArray(), beta = norm.Bias.GradToArray();
            for (int c = 0; c < 3; c++)
            {
                Assert.Equal(isGamma ? 2 * (c + 1) : 0, gamma[c], 1e-5f);
                Assert.Equal(isGamma ? 2 : 2 + 2 * new[] { 0.5f, 1, 2 }[c], beta[c], 1e-5f);
            }
        }
    }

    [Fact]
    public void OneLayerInTwoPlacesAddsItsGradients()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        TwinNorm norm = graph.Norm(NormValues.Random(17, seed: 2));
        ReferencePair a = graph.BatchNorm2d(graph.Activation(Array4.Uniform(2, 17, 4, 4, seed: 1)), norm, BnMode.Train, relu: true);
        ReferencePair b = graph.BatchNorm2d(graph.Activation(Array4.Uniform(2, 17, 4, 4, seed: 3)), norm, BnMode.TrainFrozen);
        graph.Check(graph.Add(a, b));
    }

    [Theory]
    [InlineData(BnMode.Train)]
    [InlineData(BnMode.Eval)]
    public void NormsOfViewsReadStoredValues(BnMode mode)
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 17, 5, 4, seed: 1));
        ReferencePair h = graph.BatchNorm2d(x, graph.Norm(NormValues.Random(17, seed: 2)), mode, relu: true);
        graph.Check(graph.BatchNorm2d(h, graph.Norm(NormValues.Random(17, seed: 9)), mode), _ => new Tolerance(3e-5, 1e-10));
    }

    /// <summary>Means of large planes far from zero are right to a float's last bit.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    public void MeansOfLargePlanesFarFromZero(double offset)
    {
        const int channels = 3;
        Array4 x = Array4.Normal(1, channels, 112, 112, seed: 1, deviation: 0.1).Map(v => (float)(v + offset));
        ChannelStatistics running = new(new double[channels], new double[channels]);
        ReferenceBatchNorm2d.UpdateRunning(running, x);
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        var norm = lane.Norm(NormValues.Random(channels, seed: 2) with { Mean = new double[channels] });
        lane.Run(lane.Tape.BatchNorm2d(lane.Activation(x), norm, BnMode.Train), x.Like());
        for (int c = 0; c < channels; c++)
            Assert.Equal(running.Mean[c], DeviceRun.ValuesOf(norm.RunningMean).Data[c], running.Mean[c] * 1.2e-7);
    }

    /// <summary>Without an ε the lanes behind the last channel, whose variance is 0, stay zeros.</summary>
    [Fact]
    public void PaddingStaysZeroWithoutAnEpsilon()
    {
        float[] Run(float epsilon)
        {
            using var device = Device.Cpu(1);
            ParameterStore store = new(device);
            Parameter w = store.Declare("w", new Shape(4, 8, 3, 3), 4, 8, 3, 3);
            BatchNorm2d norm = new(store, "norm", 8, epsilon);
            store.Allocate();
            norm.Initialize();
            w.Upload(Array4.Normal(4, 8, 3, 3, seed: 1).ToFloats());
            Tape tape = new(device);
            Tensor x = Tensor.From(device, new Shape(2, 8, 5, 5), Array4.Normal(2, 8, 5, 5, seed: 2).ToFloats());
            Tensor y = tape.Retain(tape.Conv2d(tape.BatchNorm2d(tape.ToActivations(x), norm, BnMode.Train), w, padding: 1));
            tape.Forward();
            return y.ToArray();
        }

        float[] without = Run(0);
        Assert.All(without, value => Assert.True(float.IsFinite(value)));
        Bits.Equal(Run(1e-30f), without);
    }

    /// <summary>A variance computed as E[x²] − E[x]² in float would be lost here: x² is a million times the variance.</summary>
    [Fact]
    public void StatisticsOfDataFarFromZero()
    {
        Array4 x = Array4.Normal(4, 17, 16, 16, seed: 1, deviation: 0.1).Map(v => (float)(v + 100));
        ChannelStatistics running = new(new double[17], new double[17]);
        ReferenceBatchNorm2d.UpdateRunning(running, x);
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        var norm = lane.Norm(new NormValues([.. Ones()], new double[17], new double[17], new double[17]));
        Array4 y = lane.Run(lane.Tape.BatchNorm2d(lane.Activation(x), norm, BnMode.Train), x.Like());
        for (int c = 0; c < 17; c++)
        {
            Assert.Equal(running.Mean[c], DeviceRun.ValuesOf(norm.RunningMean).Data[c], running.Mean[c] * 2e-7);
            Assert.Equal(running.Variance[c], DeviceRun.ValuesOf(norm.RunningVar).Data[c], running.Variance[c] * 1e-5);
        }

        // A float of size 100 is only known to 4e-6, which is 4e-5 deviations.
        Array4 expected = ReferenceBatchNorm2d.ForwardTrain(x, [.. Ones()], new double[17]);
        Assert.InRange(expected.Zip(y, (a, b) => a - b).MaxAbs(), 0, 2e-4);

        static IEnumerable<double> Ones() => Enumerable.Repeat(1.0, 17);
    }

    [Fact]
    public void TrainingBatchesAreCounted()
    {
        foreach (var (mode, count) in new[] { (BnMode.Train, 2), (BnMode.TrainFrozen, 0), (BnMode.Eval, 0) })
        {
            using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
            var norm = lane.Norm(NormValues.Random(3, seed: 1));
            lane.Run(lane.Tape.BatchNorm2d(lane.Activation(new Array4(2, 3, 2, 2)), norm, mode), new Array4(2, 3, 2, 2));
            lane.Tape.Forward();
            Assert.Equal(count, norm.BatchesTracked);
        }
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        var norm = lane.Norm(NormValues.Random(17, seed: 1));
        Tensor x = lane.Activation(new Array4(2, 16, 5, 4)), one = lane.Activation(new Array4(1, 17, 1, 1)),
            image = lane.Image(new Array4(2, 17, 5, 4));
        OpErrors.Names("BatchNorm2d", () => lane.Tape.BatchNorm2d(x, norm, BnMode.Eval), "[2, 16, 5, 4]", "16 channels", "17");
        OpErrors.Names("BatchNorm2d", () => lane.Tape.BatchNorm2d(one, norm, BnMode.Train), "[1, 17]", "more than one value");
        OpErrors.Names("BatchNorm2d", () => lane.Tape.BatchNorm2d(one, norm, BnMode.TrainFrozen), "[1, 17]");
        OpErrors.Names("BatchNorm2d", () => lane.Tape.BatchNorm2d(image, norm, BnMode.Eval), "[2, 17, 5, 4]", "activations");
    }
}
