namespace Rpat.Engine.Nn;

/// <summary>Input normalisation (x − mean)/std as the first layer of a model, so that attacks work on [0,1] images.</summary>
public sealed class Normalize
{
    /// <summary>Makes the layer from per-channel statistics of images in [0,1].</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="mean">Mean of each channel.</param>
    /// <param name="std">Standard deviation of each channel, positive.</param>
    /// <exception cref="ShapeException">The lengths differ or a deviation is not positive.</exception>
    public Normalize(Device device, IReadOnlyList<float> mean, IReadOnlyList<float> std)
    {
        ShapeException.Require(mean.Count == std.Count && std.All(s => s > 0), "Normalize", "one mean and one positive deviation a channel are needed");
        (Mean, Std) = (mean, std);
        Scale = Vector(device, [.. std.Select(s => 1 / s)], "normalize.scale");
        Shift = Vector(device, [.. mean.Zip(std, (m, s) => -m / s)], "normalize.shift");
    }

    /// <summary>Mean of each channel.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel.</summary>
    public IReadOnlyList<float> Std { get; }

    /// <summary>Number of channels.</summary>
    public int Channels => Mean.Count;

    internal Tensor Scale { get; }

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
