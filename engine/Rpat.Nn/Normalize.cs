namespace Rpat.Nn;

/// <summary>Recording of the input normalisation.</summary>
public static class NormalizeOp
{
    /// <summary>(x − mean)/std per channel of plain images as a view: images stay in [0,1], and ε stays in pixel units.</summary>
    /// <exception cref="ShapeException">The channels do not match, or x is itself a view.</exception>
    public static Tensor Normalize(this Tape tape, Tensor x, Normalize layer)
    {
        ShapeException.Require(Bound.Given(x).Shape.C == Bound.Given(layer).Mean.Count, "Normalize",
            $"{x} has {x.Shape.C} channels, the normalisation has {layer.Mean.Count}");
        ShapeException.Require(x.View is null, "Normalize", $"{x} must be stored images");
        return tape.Scaled(x, layer.Scale, layer.Shift);
    }
}

/// <summary>Input normalisation (x − mean)/std as the first layer of a model, so that attacks work on [0,1] images.</summary>
public sealed class Normalize
{
    /// <summary>Creates the layer from mean (−1 to 1) and deviation (above 0, up to 1) of each channel of images in [0,1].</summary>
    /// <exception cref="ShapeException">The lengths differ, or a number is out of its range.</exception>
    public Normalize(Device device, IReadOnlyList<float> mean, IReadOnlyList<float> std)
    {
        ShapeException.Require(Bound.Given(mean).Count == Bound.Given(std).Count && std.All(s => s > 0), "Normalize",
            "one mean and one positive deviation per channel are needed");
        ShapeException.Require(mean.Concat(std).All(v => Math.Abs(v) <= 1), "Normalize",
            "means and deviations are of pixels in [0,1], so at most 1: in levels divide by 255");
        (Mean, Std) = (mean, std);
        Scale = Vector(device, [.. std.Select(s => 1 / s)], "normalize.scale");
        Shift = Vector(device, [.. mean.Zip(std, (m, s) => -m / s)], "normalize.shift");
    }

    /// <summary>Mean of each channel.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel.</summary>
    public IReadOnlyList<float> Std { get; }

    /// <summary>1/std per channel, padded to the layout's channel block.</summary>
    internal Tensor Scale { get; }

    /// <summary>−mean/std per channel, padded in the same way.</summary>
    internal Tensor Shift { get; }

    private static Tensor Vector(Device device, float[] values, string name)
    {
        var padded = new float[device.ChannelLength(values.Length)];
        values.CopyTo(padded, 0);
        var tensor = Tensor.Create(device, new Shape(1, padded.Length), name: name);
        tensor.Upload(padded);
        return tensor;
    }
}
