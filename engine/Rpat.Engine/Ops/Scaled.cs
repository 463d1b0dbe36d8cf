namespace Rpat.Engine.Ops;

/// <summary>Recording of a constant map per channel.</summary>
public static class ScaledOp
{
    /// <summary>scale·x + shift as a view; scale and shift have one value per channel, padded to
    /// <see cref="Device.ChannelLength"/>.</summary>
    /// <exception cref="ShapeException">x is itself a view.</exception>
    public static Tensor Scaled(this Tape tape, Tensor x, Tensor scale, Tensor shift)
    {
        ShapeException.Require(Argument.Given(x).View is null, "Scaled", $"{x} must be stored");
        var view = new AffineView(x, Argument.Given(scale), Argument.Given(shift), Relu: false, Constant: true);
        return new Tensor(tape.Device, x.Shape, x.Layout, "normalized") { View = view, NeedsGrad = tape.AddInput(x).NeedsGrad };
    }
}
