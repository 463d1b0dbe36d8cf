using Rpat.Engine;
using Rpat.Engine.Nn;

namespace Rpat.Models;

/// <summary>What distinguishes one wide ResNet from another; the defaults are WideResNet-34-10 for CIFAR-10.</summary>
public sealed record WideResNetOptions
{
    /// <summary>Channels, height and width of an image; N is ignored.</summary>
    public Shape Input { get; init; } = new(1, 3, 32, 32);

    /// <summary>Number of logits.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Layers, 6n + 4 with n blocks a group.</summary>
    public int Depth { get; init; } = 34;

    /// <summary>Channels of the groups are 16, 32 and 64 times this.</summary>
    public int Width { get; init; } = 10;

    /// <summary>Mean and deviation of each channel, or null when the net sees [0,1].</summary>
    public (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization { get; init; }
}

/// <summary>
/// Wide ResNet (methods.md 1.9(c)): a stem of 16 channels, three groups of pre-activation blocks with strides 1, 2, 2, then
/// batch norm, ReLU, global average and a linear layer. WideResNet-34-10 has 46 160 474 parameters for 10 classes.
/// </summary>
public sealed class WideResNet : Classifier
{
    private const int Groups = 3;
    private const int StemChannels = 16;

    private readonly Normalize? _normalize;
    private readonly Parameter _stem;
    private readonly List<Block> _blocks = [];
    private readonly BatchNorm2d _norm;
    private readonly (Parameter Weight, Parameter Bias) _linear;

    /// <summary>Builds the net; convolutions start from He's rule by fan-out, the linear bias from zero.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="seed">Seed of the first weights.</param>
    /// <exception cref="ArgumentException">The depth is not 6n + 4.</exception>
    public WideResNet(Device device, WideResNetOptions options, ulong seed) : base(device, options.Input, options.Classes)
    {
        if (options.Depth < 10 || options.Depth % 6 != 4) throw new ArgumentException($"WideResNet: depth {options.Depth} must be 6n + 4, for instance 34.");
        Options = options;
        if (options.Normalization is { } n) _normalize = new Normalize(device, n.Mean, n.Std);
        int channels = StemChannels;
        _stem = DeclareConv("conv1", channels, options.Input.C, 3, Init.HeFanOut);
        for (int group = 0; group < Groups; group++)
            for (int i = 0; i < (options.Depth - 4) / 6; i++)
            {
                int outputs = (StemChannels * options.Width) << group, stride = group > 0 && i == 0 ? 2 : 1;
                _blocks.Add(new Block(this, $"block{group + 1}.layer.{i}", channels, outputs, stride));
                channels = outputs;
            }
        _norm = DeclareBatchNorm("bn1", channels);
        _linear = DeclareLinear("fc", options.Classes, channels, zeroBias: true);
        Build(seed);
    }

    /// <summary>The sizes it was built with.</summary>
    public WideResNetOptions Options { get; }

    /// <inheritdoc/>
    protected override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        var h = tape.Conv2d(_normalize is null ? x : tape.Normalize(x, _normalize), _stem, padding: 1);
        foreach (var block in _blocks) h = block.Record(tape, h, bn);
        var pooled = tape.GlobalAveragePool(tape.BatchNorm2d(h, _norm, bn, relu: true));
        return tape.Linear(pooled, _linear.Weight, _linear.Bias);
    }

    /// <summary>h₀ = ReLU(BN(x)); out = conv(ReLU(BN(conv(h₀)))) + x, or + a 1×1 convolution of h₀ where the channels change.</summary>
    private sealed class Block(WideResNet net, string name, int inputs, int outputs, int stride)
    {
        private readonly BatchNorm2d _norm1 = net.DeclareBatchNorm($"{name}.bn1", inputs);
        private readonly Parameter _conv1 = net.DeclareConv($"{name}.conv1", outputs, inputs, 3, Init.HeFanOut);
        private readonly BatchNorm2d _norm2 = net.DeclareBatchNorm($"{name}.bn2", outputs);
        private readonly Parameter _conv2 = net.DeclareConv($"{name}.conv2", outputs, outputs, 3, Init.HeFanOut);
        private readonly Parameter? _shortcut =
            inputs != outputs ? net.DeclareConv($"{name}.convShortcut", outputs, inputs, 1, Init.HeFanOut) : null;

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            var h0 = tape.BatchNorm2d(x, _norm1, bn, relu: true);
            var residual = _shortcut is null ? x : tape.Conv2d(h0, _shortcut, stride);
            var h = tape.Conv2d(h0, _conv1, stride, padding: 1);
            return tape.Conv2d(tape.BatchNorm2d(h, _norm2, bn, relu: true), _conv2, padding: 1, residual: residual);
        }
    }
}
