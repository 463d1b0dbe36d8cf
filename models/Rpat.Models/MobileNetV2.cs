namespace Rpat.Models;

/// <summary>The sizes of a MobileNetV2; the defaults are for CIFAR-10.</summary>
public sealed record MobileNetV2Options : ModelOptions
{
    /// <summary>Channels of the stem; all others scale with it. The published net has 32.</summary>
    public int Width { get; init; } = 32;
}

/// <summary>
/// MobileNetV2 (methods.md 1.9(e)): a 3×3 stem, seven groups of inverted residual blocks around depthwise convolutions, a 1×1
/// convolution to 1280 channels, global average and a linear layer; plain ReLU. 2 296 922 parameters for 10 classes.
/// </summary>
public sealed class MobileNetV2 : FeatureClassifier
{
    private const int PublishedStem = 32;
    private const int LastChannels = 1280;

    private static readonly (int Expansion, int Channels, int Blocks, int Stride)[] _rows =
    [
        (1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ];

    private readonly ConvNorm _stem;
    private readonly List<Block> _blocks = [];
    private readonly ConvNorm _last;

    /// <summary>Builds the net with PyTorch's default initialisation.</summary>
    /// <param name="seed">Seed of the initial weights.</param>
    public MobileNetV2(Device device, MobileNetV2Options options, ulong seed)
        : base(device, (options ?? throw new ArgumentNullException(nameof(options))).Input, options.Classes, options.Normalization)
    {
        Options = options;
        int channels = options.Width;
        _stem = new ConvNorm(this, "conv1", "bn1", channels, options.Input.C, 3, options.StemStride);
        foreach (var row in _rows)
            for (int i = 0; i < row.Blocks; i++, channels = Scaled(row.Channels))
                _blocks.Add(new Block(this, $"layers.{_blocks.Count}", channels, row.Expansion * channels, Scaled(row.Channels),
                    i == 0 ? row.Stride : 1));
        _last = new ConvNorm(this, "conv2", "bn2", Scaled(LastChannels), channels, 1);
        DeclareHead("linear", Scaled(LastChannels));
        Build(seed);
    }

    /// <summary>The sizes it was built with.</summary>
    public MobileNetV2Options Options { get; }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = _stem.Record(tape, x, bn, relu: true);
        foreach (Block block in _blocks) h = block.Record(tape, h, bn);
        return tape.GlobalAveragePool(_last.Record(tape, h, bn, relu: true));
    }

    private int Scaled(int channels) => Math.Max(1, channels * Options.Width / PublishedStem);

    /// <summary>
    /// 1×1 to more channels, depthwise 3×3, 1×1 to fewer; with stride 1 the input is added, through a 1×1 if channels differ.
    /// </summary>
    private sealed class Block(MobileNetV2 net, string name, int inputs, int inner, int outputs, int stride)
    {
        private readonly ConvNorm _expand = new(net, $"{name}.conv1", $"{name}.bn1", inner, inputs, 1);
        private readonly Parameter _depthwise = net.DeclareConv($"{name}.conv2", inner, 1, 3);
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm($"{name}.bn2", inner);
        private readonly ConvNorm _project = new(net, $"{name}.conv3", $"{name}.bn3", outputs, inner, 1);
        private readonly ConvNorm? _shortcut =
            stride == 1 && inputs != outputs ? new ConvNorm(net, $"{name}.shortcut.0", $"{name}.shortcut.1", outputs, inputs, 1) : null;

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h = tape.DepthwiseConv2d(_expand.Record(tape, x, bn, relu: true), _depthwise, stride, padding: 1);
            h = _project.Record(tape, tape.BatchNorm2d(h, _norm, bn, relu: true), bn, relu: false);
            if (stride != 1) return h;
            return tape.Add(h, _shortcut is null ? x : _shortcut.Record(tape, x, bn, relu: false));
        }
    }
}
