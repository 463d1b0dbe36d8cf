namespace Rpat.Tests.Reference;

/// <summary>What batch normalisation does in a forward (methods.md 0.3).</summary>
internal enum NormMode
{
    /// <summary>Normalise with the batch's statistics and move the running ones.</summary>
    Train,

    /// <summary>Normalise with the batch's statistics and leave the running ones alone.</summary>
    TrainFrozen,

    /// <summary>Normalise with the running statistics.</summary>
    Eval,
}

/// <summary>Gradients of a scalar to the input (N, C, H, W) and to every parameter, by name.</summary>
internal sealed record NetworkGradient(Array4 Input, Dictionary<string, double[]> Parameters);

/// <summary>
/// The pre-activation residual net of methods.md 1.9(a) in double precision, over a state of named arrays (PyTorch's names, weights in
/// PyTorch's order). Nothing is copied from the state: a change to an array shows in the next forward.
/// </summary>
internal sealed class ReferencePreActResNet(PreActResNetShape shape, Dictionary<string, double[]> state)
{
    private static readonly Window _stem = new(1, 1);

    /// <summary>Runs the batch x (N, channels, H, W) and keeps what the reverse pass needs.</summary>
    public Pass Forward(Array4 x, NormMode mode)
    {
        Array4 h = ReferenceConv2d.Forward(x, Weights("conv1.weight"), null, _stem);
        List<BlockTrace> blocks = [];
        foreach (PreActBlockShape block in shape.Blocks())
        {
            (h, BlockTrace trace) = ForwardBlock(block, h, mode);
            blocks.Add(trace);
        }

        NormTrace head = ForwardNorm("bn", h, mode);
        Array4 features = ReferencePooling.GlobalAverage(head.Output);
        Array4 logits = ReferenceLinear.Forward(features, Weights("linear.weight"), state["linear.bias"]);
        return new Pass(this, x, blocks, head, features, logits);
    }

    /// <summary>Logits (N, classes, 1, 1) only.</summary>
    public Array4 Logits(Array4 x, NormMode mode) => Forward(x, mode).Logits;

    private (Array4 Output, BlockTrace Trace) ForwardBlock(PreActBlockShape block, Array4 x, NormMode mode)
    {
        NormTrace first = ForwardNorm($"{block.Name}.bn1", x, mode);
        Array4 middle = ReferenceConv2d.Forward(first.Output, Weights($"{block.Name}.conv1.weight"), null, new Window(block.Stride, 1));
        NormTrace second = ForwardNorm($"{block.Name}.bn2", middle, mode);
        Array4 h = ReferenceConv2d.Forward(second.Output, Weights($"{block.Name}.conv2.weight"), null, new Window(1, 1));
        Array4 shortcut = block.HasShortcut
            ? ReferenceConv2d.Forward(first.Output, Weights($"{block.Name}.shortcut.0.weight"), null, new Window(block.Stride))
            : x;
        return (ReferenceElementwise.Add(h, shortcut), new BlockTrace(block, first, second));
    }

    // Batch normalisation followed by ReLU, the only way it occurs in this net.
    private NormTrace ForwardNorm(string name, Array4 x, NormMode mode)
    {
        ChannelStatistics running = new(state[$"{name}.running_mean"], state[$"{name}.running_var"]);
        if (mode == NormMode.Train) ReferenceBatchNorm2d.UpdateRunning(running, x);
        // Copies: the running statistics may have moved on by the time of the reverse pass.
        ChannelStatistics used = mode == NormMode.Eval
            ? new ChannelStatistics([.. running.Mean], [.. running.Variance])
            : ReferenceBatchNorm2d.Statistics(x);
        Array4 normalised = ReferenceBatchNorm2d.Forward(x, state[$"{name}.weight"], state[$"{name}.bias"], used);
        return new NormTrace(name, x, used, normalised, ReferenceElementwise.Relu(normalised), mode);
    }

    private Array4 Weights(string name)
    {
        int[] lengths = [.. shape.Parameters().First(entry => entry.Name == name).Shape, 1, 1];
        return Array4.From(lengths[0], lengths[1], lengths[2], lengths[3], state[name]);
    }

    /// <summary>One forward with what its reverse pass needs. Several passes of one net may be alive at once.</summary>
    internal sealed class Pass
    {
        private readonly ReferencePreActResNet _net;
        private readonly Array4 _input;
        private readonly List<BlockTrace> _blocks;
        private readonly NormTrace _head;
        private readonly Array4 _features;

        internal Pass(ReferencePreActResNet net, Array4 input, List<BlockTrace> blocks, NormTrace head, Array4 features, Array4 logits)
        {
            (_net, _input, _blocks, _head, _features, Logits) = (net, input, blocks, head, features, logits);
        }

        /// <summary>The logits, (N, classes, 1, 1).</summary>
        public Array4 Logits { get; }

        /// <summary>
        /// The gradients of a scalar whose gradient to the logits is <paramref name="dlogits"/>. The parameters must be those of
        /// the forward.
        /// </summary>
        public NetworkGradient Backward(Array4 dlogits)
        {
            Dictionary<string, double[]> gradients = [];
            LinearGradient linear = ReferenceLinear.Backward(_features, _net.Weights("linear.weight"), dlogits);
            gradients["linear.weight"] = linear.W.Data;
            gradients["linear.bias"] = linear.Bias;
            Array4 d = BackwardNorm(_head, ReferencePooling.GlobalAverageBackward(_head.Output, linear.X), gradients);
            for (int i = _blocks.Count - 1; i >= 0; i--) d = BackwardBlock(_blocks[i], d, gradients);
            return new NetworkGradient(BackwardConv("conv1.weight", _input, d, _stem, gradients), gradients);
        }

        // The sum h + shortcut hands d to both branches; they meet again at the first norm's output, or at x itself.
        private Array4 BackwardBlock(BlockTrace block, Array4 d, Dictionary<string, double[]> gradients)
        {
            (string name, int stride) = (block.Shape.Name, block.Shape.Stride);
            Array4 second = BackwardConv($"{name}.conv2.weight", block.Second.Output, d, new Window(1, 1), gradients);
            Array4 middle = BackwardNorm(block.Second, second, gradients);
            Array4 first = BackwardConv($"{name}.conv1.weight", block.First.Output, middle, new Window(stride, 1), gradients);
            if (!block.Shape.HasShortcut) return ReferenceElementwise.Add(BackwardNorm(block.First, first, gradients), d);
            Array4 side = BackwardConv($"{name}.shortcut.0.weight", block.First.Output, d, new Window(stride), gradients);
            return BackwardNorm(block.First, ReferenceElementwise.Add(first, side), gradients);
        }

        private Array4 BackwardConv(string name, Array4 x, Array4 dy, Window window, Dictionary<string, double[]> gradients)
        {
            Array4 w = _net.Weights(name);
            gradients[name] = ReferenceConv2d.WeightGradient(x, w, dy, window).Data;
            return ReferenceConv2d.InputGradient(x, w, dy, window);
        }

        private Array4 BackwardNorm(NormTrace trace, Array4 dy, Dictionary<string, double[]> gradients)
        {
            double[] gamma = _net.Values($"{trace.Name}.weight");
            Array4 dnormalised = ReferenceElementwise.ReluBackward(trace.Normalised, dy);
            BatchNormGradient norm = trace.Mode == NormMode.Eval
                ? ReferenceBatchNorm2d.BackwardEval(trace.Input, gamma, trace.Statistics, dnormalised)
                : ReferenceBatchNorm2d.BackwardTrain(trace.Input, gamma, dnormalised);
            gradients[$"{trace.Name}.weight"] = norm.Gamma;
            gradients[$"{trace.Name}.bias"] = norm.Beta;
            return norm.X;
        }
    }

    private double[] Values(string name) => state[name];

    internal sealed record NormTrace(
        string Name, Array4 Input, ChannelStatistics Statistics, Array4 Normalised, Array4 Output, NormMode Mode);

    internal sealed record BlockTrace(PreActBlockShape Shape, NormTrace First, NormTrace Second);
}
