namespace Rpat.Models;

/// <summary>The sizes of a VGG; the defaults are VGG16 for CIFAR-10 as the official code builds it.</summary>
public sealed record VggOptions : ModelOptions
{
    /// <summary>Channels of the first group; the later three have 2, 4 and 8 times as many, and so has each hidden layer.</summary>
    public int Width { get; init; } = 64;
}

/// <summary>
/// VGG16 of the official code (methods.md 1.9(d)): groups of 2, 2, 3 and 3 biased 3×3 convolutions, each with batch norm and ReLU,
/// a 2×2 max pool after each group and one more at the end, two hidden layers with batch norm and ReLU, and a linear layer; 8 173 130
/// parameters for 10 classes. Maps larger than one pixel are averaged before the hidden layers, a map of one pixel is not
/// pooled again: images of any size are possible, and those of 32×32 are treated as in the official code.
/// </summary>
public sealed class Vgg : FeatureClassifier
{
    private const int Pools = 5;

    private static readonly int[] _convolutions = [2, 2, 3, 3];

    private readonly List<List<Layer>> _groups = [];
    private readonly List<HiddenUnit> _hidden = [];

    /// <summary>Builds the net with PyTorch's default initialisation.</summary>
    /// <param name="seed">Seed of the initial weights.</param>
    public Vgg(Device device, VggOptions options, ulong seed)
        : base(device, (options ?? throw new ArgumentNullException(nameof(options))).Input, options.Classes, options.Normalization)
    {
        Options = options;
        int channels = options.Input.C;
        for (int group = 0; group < _convolutions.Length; group++)
        {
            List<Layer> units = [];
            for (int i = 0; i < _convolutions[group]; i++, channels = options.Width << group)
                units.Add(Declare($"layer{group + 1}{i + 1}", new Sequential(
                    new Conv2d(channels, options.Width << group, 3, group + i == 0 ? options.StemStride : 1, 1),
                    new BatchNorm(options.Width << group), Nn.Activation.Relu)));
            _groups.Add(units);
        }
        foreach (string name in (string[])["layer6", "layer7"]) _hidden.Add(new HiddenUnit(this, name, channels));
        DeclareHead("layer8", channels);
        Build(seed);
    }

    /// <summary>The sizes it was built with.</summary>
    public VggOptions Options { get; }

    /// <inheritdoc/>
    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = x;
        foreach (List<Layer> group in _groups)
        {
            foreach (Layer unit in group) h = unit.Record(tape, h, bn);
            h = Pool(tape, h);
        }
        for (int i = _groups.Count; i < Pools; i++) h = Pool(tape, h);
        h = tape.GlobalAveragePool(h);
        foreach (HiddenUnit unit in _hidden) h = unit.Record(tape, h, bn);
        return h;
    }

    private static Tensor Pool(Tape tape, Tensor h) => Math.Min(h.Shape.H, h.Shape.W) < 2 ? h : tape.MaxPool2d(h, 2, 2);

    /// <summary>A fully connected layer, batch norm of its features, ReLU.</summary>
    private sealed class HiddenUnit(Vgg net, string name, int width)
    {
        private readonly (Parameter Weight, Parameter Bias) _linear = net.DeclareLinear($"{name}.0", width, width);
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm($"{name}.1", width);

        public Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h = tape.ToActivations(tape.Linear(x, _linear.Weight, _linear.Bias));
            return tape.GlobalAveragePool(tape.BatchNorm2d(h, _norm, bn, relu: true));
        }
    }
}
