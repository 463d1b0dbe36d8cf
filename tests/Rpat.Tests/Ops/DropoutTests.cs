using Rpat.Tests.Distributed;

namespace Rpat.Tests.Ops;

/// <summary>Which values a dropout drops.</summary>
public class DropoutTests
{
    [Fact]
    public void EachStepOfALoopOfOnesOwnDropsOtherValues()
    {
        using var device = Device.Cpu(1);
        var layers = new Sequential(Pool.Flatten(), new Dropout(0.5), new Linear(64, 2));
        var net = new Network(device, new Shape(1, 1, 8, 8), 2, layers, seed: 1);
        var tape = new Tape(device, Gradients.Parameters);
        Tensor x = Tensor.From(device, new Shape(1, 1, 8, 8), [.. Enumerable.Repeat(1f, 64)]);
        Tensor z = net.Forward(tape, x, BnMode.Train);
        tape.CrossEntropy(z, Labels.From(device, [0]));
        var sgd = new Sgd(net.Parameters);
        float[] Logits()
        {
            tape.Run();
            return z.ToArray();
        }
        float[] first = Logits();
        Assert.Equal(first, Logits());
        sgd.Step(1e-30f); // moves nothing that a float could show
        Assert.NotEqual(first, Logits());
    }

    private const double Rate = 0.25;

    [Fact]
    public void ValuesAreDroppedOrEnlargedAndSoAreGradients()
    {
        using var device = Device.Cpu(1);
        var (y, gradient) = Run(device, Layout.Plain, new() { Seed = 3, Step = 7 }, BnMode.Train);
        Assert.Equal(y, gradient); // of ones
        Assert.All(y, v => Assert.True(v is 0 or (float)(1 / (1 - Rate))));
        Assert.InRange(y.Count(v => v == 0) / (double)y.Length, Rate - 0.05, Rate + 0.05);
    }

    /// <summary>The numbers belong to rows and values, whatever the layout; a step, a seed and a place in the net have their own.</summary>
    [Fact]
    public void TheyDependOnSeedStepAndPlaceAlone()
    {
        using Device device = Device.Cpu(1), threads = Device.Cpu(3);
        float[] Of(Device on, Layout layout = Layout.Plain, ulong seed = 3, long step = 7, int index = 0) =>
            Run(on, layout, new() { Seed = seed, Step = step }, BnMode.TrainFrozen, index).Y;
        float[] first = Of(device);
        Assert.Equal(first, Of(threads));
        Assert.Equal(first, Of(device, Layout.Blocked));
        Assert.NotEqual(first, Of(device, seed: 4));
        Assert.NotEqual(first, Of(device, step: 8));
        Assert.NotEqual(first, Of(device, step: 7 + (1 << 20)));
        Assert.NotEqual(first, Of(device, index: 1));
    }

    [Fact]
    public void InEvalModeNothingIsRecorded()
    {
        using var device = Device.Cpu(1);
        var tape = new Tape(device);
        Tensor x = Tensor.Create(device, new Shape(2, 3));
        Assert.Same(x, tape.Dropout(x, Rate, new(), 0, BnMode.Eval));
        Assert.Same(x, tape.Dropout(x, 0, new(), 0, BnMode.Train));
    }

    /// <summary>The rows of a rank are those that one process would have.</summary>
    [Fact]
    public void ProcessesThatShareABatchDropTheSameValues()
    {
        using var alone = Device.Cpu(1);
        float[][] shards = Team.Run(2, team =>
        {
            using var device = Device.Cpu(1);
            return Run(device, Layout.Plain, new(), BnMode.Train, shard: new BatchShard(team, Rows)).Y;
        });
        Assert.Equal(Run(alone, Layout.Plain, new(), BnMode.Train).Y, shards.SelectMany(rows => rows));
    }

    /// <summary>255/128 / 0.9 is 2.2135, and 2.21875 in 16 bits; times a scale that is rounded itself, it would be 2.203125.</summary>
    [Fact]
    public void TheScaleIsNotRoundedTo16Bits()
    {
        using var device = GpuBackend.EmulateBf16(1, ConvolutionAlgorithm.Direct);
        Tensor x = Tensor.From(device, new Shape(1, 64, 4, 4), [.. Enumerable.Repeat(255 / 128f, 1024)]);
        var tape = new Tape(device, Gradients.None);
        Tensor y = tape.Dropout(tape.ToActivations(x), 0.1, new(), 0, BnMode.Train);
        tape.Retain(y);
        tape.Run();
        Assert.Equal([0, 2.21875f], y.ToArray().Distinct().Order());
    }

    private const int Rows = 9, Columns = 40;

    private static (float[] Y, float[] Gradient) Run(Device device, Layout layout, DropoutSource source, BnMode mode, int index = 0,
        BatchShard? shard = null)
    {
        int rows = shard?.Count ?? Rows;
        float[] ones = [.. Enumerable.Repeat(1f, rows * Columns)];
        Tensor x = Tensor.From(device, new Shape(rows, Columns), ones, needsGrad: true);
        var tape = new Tape(device, Gradients.Inputs) { Shard = shard };
        Tensor y = tape.Dropout(layout == Layout.Plain ? x : tape.ToActivations(x), Rate, source, index, mode);
        tape.Record(new DotLoss(tape, y, ones));
        tape.Retain(y);
        tape.Run();
        return (y.ToArray(), x.GradToArray());
    }
}
