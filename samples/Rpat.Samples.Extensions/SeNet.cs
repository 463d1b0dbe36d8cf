using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Tensors;
using Rpat.Models;
using Rpat.Nn;
using Rpat.Nn.Ops;

namespace Rpat.Samples.Extensions;

/// <summary>A layer of one's own: x times one trained factor per channel, at first 1.</summary>
public sealed class ChannelScale(int channels) : Layer
{
    private Parameter? _factors;

    protected override void Declare(Module net, string name) =>
        _factors = net.DeclareParameter(Join(name, "factors"), Init.One, new Shape(1, channels), channels);

    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.Multiply(x, _factors!);
}

/// <summary>Two residual stages with SiLU and squeeze-and-excite, made of layers.</summary>
[Model("se-net", "two residual stages with SiLU and squeeze-and-excite", Width = 16, Stem = "body.0.weight", Head = "head.weight")]
public sealed class SeNet : FeatureClassifier
{
    private readonly Layer _body;

    public SeNet(Device device, ModelSpec spec, ulong seed) : base(device, spec.Input, spec.Classes, spec.Normalization)
    {
        int w = spec.Width;
        _body = Declare("body", new Sequential(
            new Conv2d(spec.Input.C, w, 3, spec.StemStride, padding: 1, bias: false),
            Stage(w),
            new Conv2d(w, 2 * w, 3, stride: 2, padding: 1),
            Stage(2 * w),
            Pool.GlobalAverage()));
        DeclareHead("head", 2 * w);
        Build(seed);
    }

    protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn) => _body.Record(tape, x, bn);

    private static Residual Stage(int channels) => new(new Sequential(
        new BatchNorm(channels), Activation.Silu, new Conv2d(channels, channels, 3, padding: 1, groups: 2, bias: false),
        new SqueezeExcite(channels, channels / 4, Activation.Silu), new ChannelScale(channels)));
}
