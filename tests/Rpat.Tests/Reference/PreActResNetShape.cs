namespace Rpat.Tests.Reference;

/// <summary>One pre-activation block: its prefix of parameter names, channels, stride, and whether it has a 1×1 shortcut.</summary>
internal sealed record PreActBlockShape(string Name, int In, int Out, int Stride)
{
    public bool HasShortcut => Stride != 1 || In != Out;
}

/// <summary>
/// The plan of a pre-activation residual net (methods.md 1.9(a)): four stages of widths 1, 2, 4 and 8 times
/// <paramref name="Width"/>, first strides 1, 2, 2, 2. Width 64 with two blocks per stage is PreActResNet-18. The input size
/// is free: the head averages whole maps.
/// </summary>
internal sealed record PreActResNetShape(int Width = 64, int BlocksPerStage = 2, int Classes = 10, int Channels = 3)
{
    public const int Stages = 4;

    /// <summary>Channels that reach the head.</summary>
    public int Features => Width << (Stages - 1);

    /// <summary>The blocks in execution order, named layer1.0, layer1.1, … layer4.n.</summary>
    public IEnumerable<PreActBlockShape> Blocks()
    {
        int channels = Width;
        for (int stage = 0; stage < Stages; stage++)
            for (int i = 0; i < BlocksPerStage; i++)
            {
                int stride = stage > 0 && i == 0 ? 2 : 1;
                yield return new PreActBlockShape($"layer{stage + 1}.{i}", channels, Width << stage, stride);
                channels = Width << stage;
            }
    }

    /// <summary>Names and shapes of everything that is trained, in the order of PyTorch's parameters.</summary>
    public IEnumerable<(string Name, int[] Shape)> Parameters()
    {
        yield return ("conv1.weight", [Width, Channels, 3, 3]);
        foreach (var entry in Blocks().SelectMany(BlockParameters)) yield return entry;
        yield return ("bn.weight", [Features]);
        yield return ("bn.bias", [Features]);
        yield return ("linear.weight", [Classes, Features]);
        yield return ("linear.bias", [Classes]);
    }

    /// <summary>Names and lengths of the running statistics.</summary>
    public IEnumerable<(string Name, int Length)> Buffers() =>
        from entry in Parameters()
        let layer = entry.Name[..^".weight".Length]
        where entry.Name.EndsWith(".weight", StringComparison.Ordinal) && entry.Shape.Length == 1
        from buffer in new[] { "running_mean", "running_var" }
        select ($"{layer}.{buffer}", entry.Shape[0]);

    /// <summary>
    /// A state at the start of training (methods.md 0.3): weights and the linear bias uniform in ±1/√fan_in, γ 1, β 0, running mean
    /// 0, running variance 1. Every value is exactly a float.
    /// </summary>
    public Dictionary<string, double[]> Initialise(int seed)
    {
        Random random = new(seed);
        Dictionary<string, double[]> state = [];
        foreach ((string name, int[] shape) in Parameters()) state[name] = InitialValues(name, shape, random);
        foreach ((string name, int length) in Buffers())
            state[name] = [.. Enumerable.Repeat(name.EndsWith("_var", StringComparison.Ordinal) ? 1.0 : 0.0, length)];
        return state;
    }

    private double[] InitialValues(string name, int[] shape, Random random)
    {
        int length = shape.Aggregate(1, (a, b) => a * b);
        bool linearBias = name == "linear.bias";
        if (shape.Length == 1 && !linearBias)
            return [.. Enumerable.Repeat(name.EndsWith(".weight", StringComparison.Ordinal) ? 1.0 : 0.0, length)];
        double bound = 1 / Math.Sqrt(linearBias ? Features : length / shape[0]);
        return [.. Enumerable.Range(0, length).Select(_ => (double)(float)(bound * (2 * random.NextDouble() - 1)))];
    }

    private static IEnumerable<(string Name, int[] Shape)> BlockParameters(PreActBlockShape block)
    {
        yield return ($"{block.Name}.bn1.weight", [block.In]);
        yield return ($"{block.Name}.bn1.bias", [block.In]);
        yield return ($"{block.Name}.conv1.weight", [block.Out, block.In, 3, 3]);
        yield return ($"{block.Name}.bn2.weight", [block.Out]);
        yield return ($"{block.Name}.bn2.bias", [block.Out]);
        yield return ($"{block.Name}.conv2.weight", [block.Out, block.Out, 3, 3]);
        if (block.HasShortcut) yield return ($"{block.Name}.shortcut.0.weight", [block.Out, block.In, 1, 1]);
    }
}
