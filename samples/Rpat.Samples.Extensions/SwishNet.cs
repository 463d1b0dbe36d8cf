using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Tensors;
using Rpat.Models;
using Rpat.Nn;

namespace Rpat.Samples.Extensions;

/// <summary>Three 3×3 convolutions with batch norm and Swish, the second and third with stride 2,
/// global average and a linear layer.</summary>
[Model("swish-net", "three convolutions with Swish", Width = 16)]
public sealed class SwishNet : FeatureClassifier
{
    private readonly ConvNorm[] _layers;

    public SwishNet(Device device, ModelSpec spec, ulong seed) : base(device, spec.Input, spec.Classes, spec.Normalization)
    {
        int w = spec.Width;
        _layers =
        [
            new(this, "conv1", "bn1", w, spec.Input.C, size: 3, spec.StemStride),
            new(this, "conv2", "bn2", 2 * w, w, size: 3, stride: 2),
            new(this, "conv3", "bn3", 4 * w, 2 * w, size: 3, stride: 2),
        ];
        DeclareHead("linear", 4 * w);
        Build(seed);
    }

    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn)
    {
        foreach (ConvNorm layer in _layers) x = tape.Swish(layer.Record(tape, x, bn, relu: false));
        return tape.GlobalAveragePool(x);
    }
}
