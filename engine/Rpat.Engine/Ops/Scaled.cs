namespace Rpat.Engine.Ops;

/// <summary>Recording of a constant map per channel.</summary>
public static class ScaledOp
{
    /// <summary>scale·x + shift as a view; scale and shift have one value per channel, padded to
    /// <see cref="Device.ChannelLength"/>.</summary>
    /// <exception cref="ShapeException">x is itself a view, or scale or shift has too few values.</exception>
    public static Tensor Scaled(this Tape tape, Tensor x, Tensor scale, Tensor shift)
    {
        ShapeException.Require(Argument.Given(x).View is null, "Scaled", $"{x} must be stored");
        ShapeException.Require(Math.Min(Argument.Given(scale).Shape.Count, Argument.Given(shift).Shape.Count)
            >= tape.Device.ChannelLength(x.Shape.C), "Scaled", $"{scale} or {shift} has fewer values than {x} has channels, padded");
        return new Tensor(tape.Device, x.Shape, x.Layout, "normalized")
        { View = new(x, scale, shift, Relu: false, Constant: true), Maker = x.Maker, NeedsGrad = tape.AddInput(x).NeedsGrad };
    }
}
