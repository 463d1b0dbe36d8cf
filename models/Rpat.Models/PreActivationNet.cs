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
    private readonly Parameter? _alpha, _beta; // of a parametric activation
    private readonly List<MeanSparse> _sparse = [];

    internal PreActivationNet(Device device, ModelOptions options, BlockStyle style, NetSizes sizes, ulong seed)
        : base(device, options.Input, options.Classes, options.Normalization)
    {
        if (sizes.Stages.Count != style.Stages.Count)
            throw new ArgumentException($"'{sizes}' has {sizes.Stages.Count} stages, the network has {style.Stages.Count}.");
        (_style, _stemStride) = (style, options.StemStride);
        int channels = sizes.Stem;
        _stem = DeclareConv(style.Stem, channels, options.Input.C, 3, style.Filters);
        if (style.Activation == Activation.ParametricSilu)
            (_alpha, _beta) = (DeclareNumber("activation.alpha"), DeclareNumber("activation.beta"));
        if (style.NormalizesStem) _norm = new NormAct(this, style.Norm!, "meansparse_end", channels);
        for (int stage = 0; stage < sizes.Stages.Count; stage++)
            for (int i = 0; i < sizes.Stages[stage].Blocks; i++)
            {
                int outputs = sizes.Stages[stage].Channels;
                _blocks.Add(new Block(this, $"{style.Stages[stage]}.{i}", channels, outputs, stage > 0 && i == 0 ? 2 : 1));
                channels = outputs;
            }
        if (style is { NormalizesStem: false, Norm: { } norm }) _norm = new NormAct(this, norm, "meansparse_end", channels);
        DeclareHead(style.Head, channels, style.ZeroBias, hasBias: !style.NormalizesFeatures);
        Build(seed);
    }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = tape.Conv2d(x, _stem, _stemStride, padding: 1);
        if (_style.NormalizesStem) h = _norm!.Record(tape, h, bn);
        foreach (Block block in _blocks) h = block.Record(tape, h, bn);
        Tensor features = tape.GlobalAveragePool(_norm is null || _style.NormalizesStem ? h : _norm.Record(tape, h, bn));
        return _style.NormalizesFeatures ? tape.UnitRows(features) : features;
    }

    /// <inheritdoc/>
    protected override void Loaded()
    {
        foreach (MeanSparse layer in _sparse) layer.Loaded();
        if (_style.NormalizesFeatures) NormalizeHead();
    }

    private Parameter DeclareNumber(string name) => DeclareParameter(name, Init.Zero, new Shape(1, 1), 1);

    private Tensor Activated(Tape tape, Tensor x) => _alpha is null ? tape.Silu(x)
        : tape.Gradients.HasFlag(Gradients.Parameters)
            ? throw new NotSupportedException("The numbers of a parametric SiLU are not trained: choose another network.")
        : tape.Elementwise(new ParametricSilu(_alpha.ToArray()[0], _beta!.ToArray()[0]), x);

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
        private readonly SqueezeExcite? _excite;
        private readonly MeanSparse? _sparse;

        public Block(PreActivationNet net, string name, int inputs, int outputs, int stride)
        {
            (_style, _stride) = (net._style, stride);
            _first = new NormAct(net, $"{name}.{_style.Norm1}", $"{name}.meansparse_0", inputs);
            _conv1 = net.DeclareConv($"{name}.{_style.Conv1}", outputs, inputs, 3, _style.Filters);
            _second = new NormAct(net, $"{name}.{_style.Norm2}", $"{name}.meansparse_1", outputs);
            _conv2 = net.DeclareConv($"{name}.{_style.Conv2}", outputs, outputs, 3, _style.Filters);
            if (stride != 1 || inputs != outputs)
                _shortcut = net.DeclareConv($"{name}.{_style.Shortcut}", outputs, inputs, _style.ShortcutSize, _style.Filters);
            if (_style.ExcitesAfter > 0) _excite = net.Declare($"{name}.se", new SqueezeExcite(outputs, (int)Math.Round(outputs / 4.0)));
            if (_style.SparsifiesAroundMean) _sparse = new MeanSparse(net, $"{name}.meansparse_2", outputs);
        }

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h0 = _first.Record(tape, x, bn);
            Tensor residual = _shortcut is not null ? Strided(tape, _style.ProjectsInput ? x : h0, _shortcut)
                : _style.NormalizesStem ? h0 : x;
            Tensor h = Strided(tape, h0, _conv1);
            h = _second.Record(tape, _style.ExcitesAfter == 1 ? _excite!.Record(tape, h, bn) : h, bn);
            Tensor y = _style.ExcitesAfter == 2 ? tape.Add(_excite!.Record(tape, tape.Conv2d(h, _conv2, padding: 1), bn), residual)
                : tape.Conv2d(h, _conv2, padding: 1, residual: residual);
            return _sparse is null ? y : _sparse.Record(tape, y);
        }

        private Tensor Strided(Tape tape, Tensor x, Parameter filters) => filters.Dimensions[2] == 1 ? tape.Conv2d(x, filters, _stride)
            : _style.PadsBehind && _stride == 2 ? tape.Conv2d(x, filters, _stride, padding: 0, trailing: 1)
            : tape.Conv2d(x, filters, _stride, padding: 1);
    }

    /// <summary>A batch norm and the activation after it.</summary>
    private sealed class NormAct(PreActivationNet net, string norm, string sparse, int channels)
    {
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm(norm, channels);
        private readonly MeanSparse? _sparse = net._style.SparsifiesAroundMean ? new MeanSparse(net, sparse, channels) : null;

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            if (net._style.Activation == Activation.Relu) return tape.BatchNorm2d(x, _norm, bn, relu: true);
            Tensor h = tape.BatchNorm2d(x, _norm, bn);
            return net.Activated(tape, _sparse is null ? h : _sparse.Record(tape, h));
        }
    }

    /// <summary>Values that are less than threshold deviations from their channel's mean become the mean.</summary>
    private sealed class MeanSparse
    {
        private readonly StateBuffer _means, _variances, _threshold;
        private readonly Tensor _mean, _reach;

        public MeanSparse(PreActivationNet net, string name, int channels)
        {
            _means = net.DeclareBuffer($"{name}.running_mean", channels);
            _variances = net.DeclareBuffer($"{name}.running_var", channels);
            _threshold = net.DeclareBuffer($"{name}.threshold");
            net.DeclareBuffer($"{name}.flag_update_statistics");
            net.DeclareBuffer($"{name}.batch_num");
            _mean = Tensor.Create(net.Device, new Shape(1, channels), name: $"{name}.mean");
            _reach = Tensor.Create(net.Device, new Shape(1, channels), name: $"{name}.reach");
            net._sparse.Add(this);
        }

        public void Loaded()
        {
            _mean.Upload(_means.Values);
            _reach.Upload([.. _variances.Values.Select(v => _threshold.Values[0] * MathF.Sqrt(v))]);
        }

        public Tensor Record(Tape tape, Tensor x) =>
            tape.Add(tape.Binary(new HardShrink(), tape.Subtract(x, _mean), _reach), _mean);
    }
}
