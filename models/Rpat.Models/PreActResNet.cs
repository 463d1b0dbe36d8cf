using Rpat.Engine;
using Rpat.Engine.Nn;

namespace Rpat.Models;

/// <summary>What distinguishes one pre-activation ResNet from another; the defaults are PreActResNet-18 for CIFAR-10.</summary>
public sealed record PreActResNetOptions
{
    /// <summary>Channels, height and width of an image; N is ignored.</summary>
    public Shape Input { get; init; } = new(1, 3, 32, 32);

    /// <summary>Number of logits.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Channels of the first stage; later stages double it.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Residual blocks of each of the four stages.</summary>
    public int BlocksPerStage { get; init; } = 2;

    /// <summary>Mean and deviation of each channel, or null when the net sees [0,1].</summary>
    public (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization { get; init; }
}

/// <summary>
/// Pre-activation ResNet (methods.md 1.9(a)): a 3×3 stem, four stages of blocks with strides 1, 2, 2, 2, then batch norm, ReLU,
/// global average and a linear layer. Width 64 with two blocks a stage is PreActResNet-18: 11 172 170 parameters for 10 classes.
/// </summary>
public sealed class PreActResNet : Classifier
{
    private const int Stages = 4;

    private readonly Normalize? _normalize;
    private readonly Parameter _stem;
    private readonly List<Block> _blocks = [];
    private readonly BatchNorm2d _norm;
    private readonly (Parameter Weight, Parameter Bias) _linear;

    /// <summary>Builds the net with PyTorch's default initialisation.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="seed">Seed of the first weights.</param>
    public PreActResNet(Device device, PreActResNetOptions options, ulong seed) : base(device, options.Input, options.Classes)
    {
        Options = options;
        if (options.Normalization is { } n) _normalize = new Normalize(device, n.Mean, n.Std);
        int channels = options.Width;
        _stem = DeclareConv("conv1", channels, options.Input.C, 3);
        for (int stage = 0; stage < Stages; stage++)
            for (int i = 0; i < options.BlocksPerStage; i++)
            {
                int outputs = options.Width << stage, stride = stage > 0 && i == 0 ? 2 : 1;
                _blocks.Add(new Block(this, $"layer{stage + 1}.{i}", channels, outputs, stride));
                channels = outputs;
            }
        _norm = DeclareBatchNorm("bn", channels);
        _linear = DeclareLinear("linear", options.Classes, channels);
        Build(seed);
    }

    /// <summary>The sizes it was built with.</summary>
    public PreActResNetOptions Options { get; }

    /// <inheritdoc/>
    protected override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        var h = tape.Conv2d(_normalize is null ? x : tape.Normalize(x, _normalize), _stem, padding: 1);
        foreach (var block in _blocks) h = block.Record(tape, h, bn);
        var pooled = tape.GlobalAveragePool(tape.BatchNorm2d(h, _norm, bn, relu: true));
        return tape.Linear(pooled, _linear.Weight, _linear.Bias);
    }

    /// <summary>h₀ = ReLU(BN(x)); out = conv(ReLU(BN(conv(h₀)))) + shortcut, x itself or a strided 1×1 convolution of h₀.</summary>
    private sealed class Block(PreActResNet net, string name, int inputs, int outputs, int stride)
    {
        private readonly BatchNorm2d _norm1 = net.DeclareBatchNorm($"{name}.bn1", inputs);
        private readonly Parameter _conv1 = net.DeclareConv($"{name}.conv1", outputs, inputs, 3);
        private readonly BatchNorm2d _norm2 = net.DeclareBatchNorm($"{name}.bn2", outputs);
        private readonly Parameter _conv2 = net.DeclareConv($"{name}.conv2", outputs, outputs, 3);
        private readonly Parameter? _shortcut =
            stride != 1 || inputs != outputs ? net.DeclareConv($"{name}.shortcut.0", outputs, inputs, 1) : null;

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            var h0 = tape.BatchNorm2d(x, _norm1, bn, relu: true);
            var residual = _shortcut is null ? x : tape.Conv2d(h0, _shortcut, stride);
            var h = tape.Conv2d(h0, _conv1, stride, padding: 1);
            return tape.Conv2d(tape.BatchNorm2d(h, _norm2, bn, relu: true), _conv2, padding: 1, residual: residual);
        }
    }
}
