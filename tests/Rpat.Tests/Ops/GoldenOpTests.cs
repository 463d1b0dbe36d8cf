using Rpat.Tests.Golden;

namespace Rpat.Tests.Ops;

/// <summary>Ops that are composed of others, against PyTorch in double precision: values and gradients of all inputs.</summary>
public class GoldenOpTests
{
    private static readonly GoldenArrays _golden = new("ops.npz");

    /// <summary>What is recorded, and for each input whether it is activations (A), plain (I) or a parameter (P); with | another
    /// choice.</summary>
    private static readonly Dictionary<string, (string Inputs, Func<Tape, Tensor[], Tensor> Record)> _ops = new()
    {
        ["average"] = ("A|I", (tape, x) => tape.AveragePool2d(x[0], 3, 2, 1)),
        ["average-inside"] = ("A|I", (tape, x) => tape.AveragePool2d(x[0], 3, 2, 1, countPadding: false)),
        ["adaptive"] = ("A|I", (tape, x) => tape.AdaptiveAveragePool2d(x[0], 2, 3)),
        ["maximum"] = ("A", (tape, x) => tape.MaxPool2d(x[0], 3, 2, 1)),
        ["nearest"] = ("A|I", (tape, x) => tape.UpsampleNearest(x[0], 9, 14)),
        ["bilinear"] = ("A|I", (tape, x) => tape.UpsampleBilinear(x[0], 8, 5)),
        ["bilinear-corners"] = ("A|I", (tape, x) => tape.UpsampleBilinear(x[0], 8, 5, alignCorners: true)),
        ["concat"] = ("AA|II", (tape, x) => tape.Concat(x[0], x[1], x[0])),
        ["slice"] = ("A|I", (tape, x) => tape.Slice(x[0], channels: 1..4, rows: 1.., columns: 2..^1)),
        ["pad"] = ("A|I", (tape, x) => tape.Pad(x[0], top: 0, bottom: 3, left: 1, right: 2)),
        ["permute"] = ("I", (tape, x) => tape.Permute(x[0], 0, 2, 3, 1)),
        ["excite"] = ("AI|II", (tape, x) => tape.Multiply(x[0], tape.Sigmoid(x[1]))),
        ["channels"] = ("AP|IP|AI", (tape, x) => tape.Subtract(x[0], x[1])),
        ["softmax"] = ("I", (tape, x) => tape.Softmax(tape.Multiply(x[0], 3))),
        ["layer-norm"] = ("IPP", (tape, x) => tape.LayerNorm(x[0], x[1], x[2])),
        ["group-norm"] = ("APP|IPP", (tape, x) => tape.GroupNorm(x[0], 3, x[1], x[2])),
        ["matmul"] = ("II", (tape, x) => tape.MatMul(x[0], x[1], transposeB: true)),
        ["attention"] = ("III", (tape, x) => tape.Attention(x[0], x[1], x[2], tokens: 3, heads: 2)),
        ["convolution"] = ("APP|IPP", (tape, x) => tape.Conv2d(x[0], (Parameter)x[1],
            new() { Stride = 2, Padding = (2, 1), Dilation = (2, 1), Groups = 2 }, (Parameter)x[2])),
        ["groups"] = ("AP|IP", (tape, x) => tape.Conv2d(x[0], (Parameter)x[1], new() { Padding = (1, 1), Groups = 3 })),
        ["rectangle"] = ("AP", (tape, x) => tape.Conv2d(x[0], (Parameter)x[1], new() { Padding = (0, 3) })),
        ["gelu"] = ("I", (tape, x) => tape.Gelu(tape.Multiply(x[0], 4))),
        ["softplus"] = ("I", (tape, x) => tape.Softplus(tape.Multiply(x[0], 25), 0.9)),
        ["power"] = ("I", (tape, x) => tape.Add(tape.Pow(x[0], 3), tape.Sqrt(tape.Abs(x[0])))),
        ["clamp"] = ("I", (tape, x) => tape.Add(tape.Add(tape.Clamp(x[0], -0.5, 0.25), tape.LeakyRelu(x[0], 0.2)),
            tape.Relu6(tape.Multiply(x[0], 9)))),
        ["quotient"] = ("AA|II", (tape, x) => tape.Divide(x[0], tape.Exp(x[1]))),
    };

    public static TheoryData<string> Names => [.. _ops.Keys];

    [Fact]
    public void EveryGoldenOpIsTried() => Assert.Equal(_golden.NamesIn("").Where(name => name.EndsWith("/dy", StringComparison.Ordinal))
        .Select(name => name[..^3]).Order(), _ops.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void ItIsWhatPyTorchComputes(string name)
    {
        var (inputs, record) = _ops[name];
        foreach (string kinds in inputs.Split('|'))
        {
            List<Array4>? before = null;
            foreach (var setup in CpuSetup.Threading)
            {
                using DeviceRun lane = new(setup, Gradients.Inputs | Gradients.Parameters);
                Tensor[] x = [.. kinds.Select((kind, i) => Input(lane, kind, Golden($"{name}/x{i}")))];
                Array4 y = lane.Run(record(lane.Tape, x), Golden($"{name}/dy"));
                List<Array4> found = [y, .. x.Select(DeviceRun.Gradient)];
                for (int i = 0; i < found.Count; i++)
                {
                    string what = i == 0 ? $"{name}/y" : $"{name}/g{i - 1}";
                    OpGraph.AssertClose(Golden(what), found[i], new(1e-5, 1e-10), $"{what}, {kinds}, {setup}");
                    Assert.True(before is null || OpGraph.SameBits(before[i], found[i]), $"{what}: other bits on two threads");
                }
                before = found;
            }
        }
    }

    /// <summary>Recorded twice on one tape and run twice: nothing of the first run is left in the second.</summary>
    [Fact]
    public void AReplayGivesTheSameBits()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.Inputs | Gradients.Parameters);
        Tensor x = lane.Activation(Golden("convolution/x0"));
        Parameter w = lane.Values(Golden("convolution/x1")), bias = lane.Values(Golden("convolution/x2"));
        var options = new ConvolutionOptions { Stride = 2, Padding = (2, 1), Dilation = (2, 1), Groups = 2 };
        Tensor y = lane.Tape.Add(lane.Tape.Conv2d(x, w, options, bias), lane.Tape.Conv2d(x, w, options, bias));
        lane.Run(y, Golden("convolution/dy"));
        Array4 first = DeviceRun.Gradient(w);
        lane.Tape.Run();
        Assert.True(OpGraph.SameBits(first, DeviceRun.Gradient(w)));
        OpGraph.AssertClose(Golden("convolution/g1").Map(g => 2 * g), first, new(1e-5, 1e-10), "twice the gradient");
    }

    [Fact]
    public void NoGradientFlowsThroughDetach()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.Inputs);
        Tensor x = lane.Image(Golden("permute/x0")), y = lane.Tape.Multiply(x, lane.Tape.Detach(x));
        Array4 values = lane.Run(y, Golden("permute/x0").Map(_ => 1));
        OpGraph.AssertClose(Golden("permute/x0").Map(v => v * v), values, new(1e-6, 1e-12), "x²");
        OpGraph.AssertClose(Golden("permute/x0"), DeviceRun.Gradient(x), new(1e-6, 1e-12), "x, not 2x");
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tape tape = lane.Tape;
        Tensor maps = lane.Activation(new Array4(2, 6, 5, 7)), image = lane.Image(new Array4(2, 6, 5, 7)),
            rows = lane.Image(new Array4(6, 8, 1, 1));
        OpErrors.Names("AveragePool2d", () => tape.AveragePool2d(maps, 8), "window 8", "[2, 6, 5, 7]");
        OpErrors.Names("AdaptiveAveragePool2d", () => tape.AdaptiveAveragePool2d(maps, 0, 3), "0×3");
        OpErrors.Names("UpsampleNearest", () => tape.UpsampleNearest(maps, 3, -1), "3×-1");
        OpErrors.Names("MaxPool2d", () => tape.MaxPool2d(maps, 3, 1, 2), "padding 2", "window 3");
        OpErrors.Names("Concat", () => tape.Concat(maps, image), "does not fit");
        OpErrors.Names("Split", () => tape.Split(maps, 2, 3), "2 + 3", "[2, 6, 5, 7]");
        OpErrors.Names("Slice", () => tape.Slice(maps, channels: 4..9), "[2, 6, 5, 7]");
        OpErrors.Names("Pad", () => tape.Pad(maps, -5, 0, 0, 0), "nothing is left");
        OpErrors.Names("Permute", () => tape.Permute(image, 0, 1, 1, 3), "four axes");
        OpErrors.Names("Permute", () => tape.Permute(maps, 0, 2, 1, 3), "plain");
        OpErrors.Names("Reshape", () => tape.Reshape(rows, new Shape(7, 7)), "[7, 7]");
        OpErrors.Names("Multiply", () => tape.Multiply(maps, rows), "[6, 8]");
        OpErrors.Names("Add", () => tape.Add(maps, image), "layout");
        OpErrors.Names("Softmax", () => tape.Softmax(maps), "plain");
        OpErrors.Names("LayerNorm", () => tape.LayerNorm(image), "[N, C]");
        OpErrors.Names("GroupNorm", () => tape.GroupNorm(maps, 4), "4 groups");
        OpErrors.Names("MatMul", () => tape.MatMul(image, image), "do not fit");
        OpErrors.Names("Attention", () => tape.Attention(rows, rows, rows, tokens: 4, heads: 2), "4 tokens");
        OpErrors.Names("Dropout", () => tape.Dropout(rows, 1, new DropoutSource(), 0, BnMode.Train), "rate 1");
        Parameter w = lane.Values(new Array4(6, 3, 3, 2));
        OpErrors.Names("Conv2d", () => tape.Conv2d(maps, w, new() { Groups = 3 }), "3 groups");
        Assert.Contains("above", Assert.Throws<ArgumentException>(() => tape.Clamp(rows, 1, 0)).Message, StringComparison.Ordinal);
    }

    private static Tensor Input(DeviceRun lane, char kind, Array4 values) => kind switch
    {
        'A' => lane.Activation(values),
        'I' => lane.Image(values),
        _ => lane.Values(values),
    };

    private static Array4 Golden(string name)
    {
        var (n, c, h, w) = _golden.Shape(name);
        return Array4.From(n, c, h, w, _golden.Doubles(name));
    }
}
