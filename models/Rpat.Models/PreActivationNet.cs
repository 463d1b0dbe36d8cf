namespace Rpat.Models;

/// <summary>
/// What pre-activation ResNets have in common (He et al., 2016): a 3×3 stem, stages of blocks that apply batch norm and ReLU
/// before each convolution, then global average and a linear layer. Families differ in sizes, names and initialisation.
/// </summary>
public abstract class PreActivationNet : FeatureClassifier
{
    private readonly Parameter _stem;
    private readonly int _stemStride;
    private readonly BatchNorm2d? _stemNorm;
    private readonly List<Block> _blocks = [];
    private readonly BatchNorm2d? _norm;

    private protected PreActivationNet(Device device, ModelOptions options, Plan plan, ulong seed)
        : base(device, options.Input, options.Classes, options.Normalization)
    {
        _stemStride = options.StemStride;
        int channels = plan.StemChannels;
        _stem = DeclareConv("conv1", channels, options.Input.C, 3, plan.Filters);
        if (plan.NormalizesStem) _stemNorm = DeclareBatchNorm(plan.Norm, channels);
        foreach (Stage stage in plan.Stages)
            for (int i = 0; i < stage.Blocks; i++, channels = stage.Channels)
                _blocks.Add(new Block(this, plan, $"{stage.Name}.{i}", channels, stage.Channels, i == 0 ? stage.Stride : 1));
        if (!plan.NormalizesStem) _norm = DeclareBatchNorm(plan.Norm, channels);
        DeclareHead(plan.Head, channels, plan.ZeroBias);
        Build(seed);
    }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = tape.Conv2d(x, _stem, _stemStride, padding: 1);
        if (_stemNorm is not null) h = tape.BatchNorm2d(h, _stemNorm, bn, relu: true);
        foreach (Block block in _blocks) h = block.Record(tape, h, bn);
        return tape.GlobalAveragePool(_norm is null ? h : tape.BatchNorm2d(h, _norm, bn, relu: true));
    }

    /// <summary>Blocks of equal width; the first one has the stride.</summary>
    private protected sealed record Stage(string Name, int Channels, int Blocks, int Stride);

    /// <summary>A family's sizes and names.</summary>
    private protected sealed record Plan(int StemChannels, IReadOnlyList<Stage> Stages)
    {
        public string Norm { get; init; } = "bn";
        public string Head { get; init; } = "linear";
        public string Shortcut { get; init; } = "shortcut.0";
        public Init Filters { get; init; } = Init.Default;
        public bool ZeroBias { get; init; }

        /// <summary>
        /// Batch norm and ReLU come after the stem instead of before the pooling, and an identity shortcut carries the output of the
        /// block's first batch norm and ReLU (methods.md 1.9(a′)).
        /// </summary>
        public bool NormalizesStem { get; init; }
    }

    /// <summary>h₀ = ReLU(BN(x)); out = conv(ReLU(BN(conv(h₀)))) + shortcut: x (or h₀), or a strided 1×1 convolution of h₀.</summary>
    private sealed class Block(PreActivationNet net, Plan plan, string name, int inputs, int outputs, int stride)
    {
        private readonly BatchNorm2d _norm1 = net.DeclareBatchNorm($"{name}.bn1", inputs);
        private readonly Parameter _conv1 = net.DeclareConv($"{name}.conv1", outputs, inputs, 3, plan.Filters);
        private readonly BatchNorm2d _norm2 = net.DeclareBatchNorm($"{name}.bn2", outputs);
        private readonly Parameter _conv2 = net.DeclareConv($"{name}.conv2", outputs, outputs, 3, plan.Filters);
        private readonly Parameter? _shortcut =
            stride != 1 || inputs != outputs ? net.DeclareConv($"{name}.{plan.Shortcut}", outputs, inputs, 1, plan.Filters) : null;

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h0 = tape.BatchNorm2d(x, _norm1, bn, relu: true), identity = plan.NormalizesStem ? h0 : x;
            Tensor residual = _shortcut is null ? identity : tape.Conv2d(h0, _shortcut, stride);
            Tensor h = tape.Conv2d(h0, _conv1, stride, padding: 1);
            return tape.Conv2d(tape.BatchNorm2d(h, _norm2, bn, relu: true), _conv2, padding: 1, residual: residual);
        }
    }
}
