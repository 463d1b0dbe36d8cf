namespace Rpat.Models;

/// <summary>
/// Pre-activation ResNets (He et al., 2016): a 3×3 stem, stages of blocks that apply batch norm and an activation before each
/// convolution, then global average and a linear layer. Families differ in sizes, names, activation and initialisation.
/// </summary>
public class PreActivationNet : FeatureClassifier
{
    private readonly BlockStyle _style;
    private readonly Parameter _stem;
    private readonly int _stemStride;
    private readonly List<Block> _blocks = [];
    private readonly NormAct? _norm;

    internal PreActivationNet(Device device, ModelOptions options, BlockStyle style, NetSizes sizes, ulong seed)
        : base(device, options.Input, options.Classes, options.Normalization)
    {
        (_style, _stemStride) = (style, options.StemStride);
        int channels = sizes.Stem;
        _stem = DeclareConv(style.Stem, channels, options.Input.C, 3, style.Filters);
        if (style.NormalizesStem) _norm = NormOf(style.Norm!, channels);
        for (int stage = 0; stage < sizes.Stages.Count; stage++)
            for (int i = 0; i < sizes.Stages[stage].Blocks; i++)
            {
                int outputs = sizes.Stages[stage].Channels;
                _blocks.Add(new Block(this, $"{style.Stages[stage]}.{i}", channels, outputs, stage > 0 && i == 0 ? 2 : 1));
                channels = outputs;
            }
        if (style is { NormalizesStem: false, Norm: { } norm }) _norm = NormOf(norm, channels);
        DeclareHead(style.Head, channels, style.ZeroBias);
        Build(seed);
    }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = tape.Conv2d(x, _stem, _stemStride, padding: 1);
        if (_style.NormalizesStem) h = _norm!.Record(tape, h, bn);
        foreach (Block block in _blocks) h = block.Record(tape, h, bn);
        return tape.GlobalAveragePool(_norm is null || _style.NormalizesStem ? h : _norm.Record(tape, h, bn));
    }

    private NormAct NormOf(string name, int channels) => new(this, name, channels);

    /// <summary>
    /// h₀ = act(BN(x)); out = conv(act(BN(conv(h₀)))) + shortcut: x (or h₀), or a strided convolution of h₀ (or x).
    /// </summary>
    private sealed class Block
    {
        private readonly BlockStyle _style;
        private readonly int _stride;
        private readonly NormAct _first, _second;
        private readonly Parameter _conv1, _conv2;
        private readonly Parameter? _shortcut;

        public Block(PreActivationNet net, string name, int inputs, int outputs, int stride)
        {
            (_style, _stride) = (net._style, stride);
            _first = net.NormOf($"{name}.{_style.Norm1}", inputs);
            _conv1 = net.DeclareConv($"{name}.{_style.Conv1}", outputs, inputs, 3, _style.Filters);
            _second = net.NormOf($"{name}.{_style.Norm2}", outputs);
            _conv2 = net.DeclareConv($"{name}.{_style.Conv2}", outputs, outputs, 3, _style.Filters);
            if (stride != 1 || inputs != outputs)
                _shortcut = net.DeclareConv($"{name}.{_style.Shortcut}", outputs, inputs, _style.ShortcutSize, _style.Filters);
        }

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h0 = _first.Record(tape, x, bn);
            Tensor residual = _shortcut is not null ? Strided(tape, _style.ProjectsInput ? x : h0, _shortcut)
                : _style.NormalizesStem ? h0 : x;
            Tensor h = _second.Record(tape, Strided(tape, h0, _conv1), bn);
            return tape.Conv2d(h, _conv2, padding: 1, residual: residual);
        }

        private Tensor Strided(Tape tape, Tensor x, Parameter filters) => filters.Dimensions[2] == 1 ? tape.Conv2d(x, filters, _stride)
            : _style.PadsBehind && _stride == 2 ? tape.Conv2d(x, filters, _stride, padding: 0, trailing: 1)
            : tape.Conv2d(x, filters, _stride, padding: 1);
    }

    /// <summary>A batch norm and the activation after it.</summary>
    private sealed class NormAct(PreActivationNet net, string norm, int channels)
    {
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm(norm, channels);

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            if (net._style.Activation == Activation.Relu) return tape.BatchNorm2d(x, _norm, bn, relu: true);
            return tape.Elementwise(new Silu(), tape.BatchNorm2d(x, _norm, bn));
        }
    }
}
