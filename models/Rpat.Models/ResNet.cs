namespace Rpat.Models;

/// <summary>The sizes of a ResNet; the defaults are ResNet-18 for CIFAR-10.</summary>
public sealed record ResNetOptions : ModelOptions
{
    /// <summary>Channels of the first stage; each later stage doubles them.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Residual blocks of each of the four stages.</summary>
    public int BlocksPerStage { get; init; } = 2;

    /// <summary>
    /// Blocks of 1×1, 3×3 and 1×1 convolutions with four times the channels at their ends: what the official RPAT_Benchmarks code
    /// builds under the name of ResNet-18.
    /// </summary>
    public bool Bottleneck { get; init; }
}

/// <summary>
/// ResNet (methods.md 1.9(b)): a 3×3 stem with batch norm and ReLU, four stages with strides 1, 2, 2, 2, global average and a
/// linear layer. ResNet-18 has 11 173 962 parameters for 10 classes, its bottleneck variant 13 958 986.
/// </summary>
public sealed class ResNet : FeatureClassifier
{
    private const int Stages = 4;
    private const int Expansion = 4;

    private readonly ConvNorm _stem;
    private readonly List<Block> _blocks = [];

    /// <summary>Builds the net with PyTorch's default initialisation.</summary>
    /// <param name="seed">Seed of the initial weights.</param>
    public ResNet(Device device, ResNetOptions options, ulong seed)
        : this(device, options, NetSizes.Doubling(options.Width, options.Width, Stages, options.BlocksPerStage), seed)
    {
    }

    internal ResNet(Device device, ResNetOptions options, NetSizes sizes, ulong seed)
        : base(device, (options ?? throw new ArgumentNullException(nameof(options))).Input, options.Classes, options.Normalization)
    {
        Options = options;
        int channels = sizes.Stem;
        _stem = new ConvNorm(this, "conv1", "bn1", channels, options.Input.C, 3, options.StemStride);
        for (int stage = 0; stage < sizes.Stages.Count; stage++)
            for (int i = 0; i < sizes.Stages[stage].Blocks; i++)
            {
                int inner = sizes.Stages[stage].Channels, outputs = options.Bottleneck ? Expansion * inner : inner;
                _blocks.Add(new Block(this, $"layer{stage + 1}.{i}", channels, inner, outputs, stage > 0 && i == 0 ? 2 : 1));
                channels = outputs;
            }
        DeclareHead("linear", channels);
        Build(seed);
    }

    /// <summary>The sizes it was built with.</summary>
    public ResNetOptions Options { get; }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = _stem.Record(tape, x, bn, relu: true);
        foreach (Block block in _blocks) h = block.Record(tape, h, bn);
        return tape.GlobalAveragePool(h);
    }

    /// <summary>
    /// ReLU(branch + shortcut). The branch is 3×3, 3×3, or as a bottleneck 1×1, 3×3, 1×1, each with batch norm, all but the last with
    /// ReLU; the first 3×3 convolution has the stride.
    /// </summary>
    private sealed class Block
    {
        private readonly ConvNorm[] _branch;
        private readonly ConvNorm? _shortcut;

        public Block(ResNet net, string name, int inputs, int inner, int outputs, int stride)
        {
            _branch = net.Options.Bottleneck
                ? [Layer(1, inner, inputs, 1), Layer(2, inner, inner, 3, stride), Layer(3, outputs, inner, 1)]
                : [Layer(1, inner, inputs, 3, stride), Layer(2, outputs, inner, 3)];
            if (stride != 1 || inputs != outputs)
                _shortcut = new ConvNorm(net, $"{name}.shortcut.0", $"{name}.shortcut.1", outputs, inputs, 1, stride);

            ConvNorm Layer(int number, int to, int from, int size, int step = 1) =>
                new(net, $"{name}.conv{number}", $"{name}.bn{number}", to, from, size, step);
        }

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h = x;
            foreach (ConvNorm layer in _branch) h = layer.Record(tape, h, bn, relu: layer != _branch[^1]);
            return tape.Add(h, _shortcut is null ? x : _shortcut.Record(tape, x, bn, relu: false), relu: true);
        }
    }
}
