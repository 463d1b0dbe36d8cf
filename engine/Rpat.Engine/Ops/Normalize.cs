namespace Rpat.Engine;

/// <summary>Recording of the input normalisation.</summary>
public static class NormalizeOp
{
    /// <summary>(x − mean)/std per channel as a view: images stay in [0,1], and ε stays in pixel units.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="x">Images <c>[N, C, H, W]</c> in plain order.</param>
    /// <param name="layer">Mean and standard deviation of C channels.</param>
    /// <exception cref="ShapeException">The channels do not fit, or x is a view itself.</exception>
    public static Tensor Normalize(this Tape tape, Tensor x, Nn.Normalize layer)
    {
        ShapeException.Require(x.Shape.C == layer.Channels, "Normalize", $"{x} has {x.Shape.C} channels, the normalisation has {layer.Channels}");
        ShapeException.Require(x.View is null, "Normalize", $"{x} must be stored images");
        var view = new AffineView(x, layer.Scale, layer.Shift, Relu: false, Constant: true);
        return new Tensor(tape.Device, x.Shape, x.Layout, "normalized") { View = view, NeedsGrad = tape.Wire(x).NeedsGrad };
    }
}
