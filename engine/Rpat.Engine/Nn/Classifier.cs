namespace Rpat.Engine.Nn;

/// <summary>A network that maps images in [0,1] to logits.</summary>
/// <param name="device">Where it lives.</param>
/// <param name="input">One image: N is ignored, C, H and W are its size.</param>
/// <param name="classes">Number of logits.</param>
public abstract class Classifier(Device device, Shape input, int classes) : Module(device)
{
    /// <summary>Size of a batch of one image.</summary>
    public Shape InputShape { get; } = input with { N = 1 };

    /// <summary>Number of logits.</summary>
    public int Classes { get; } = classes;

    /// <summary>Records the network.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="x">Images <c>[N, C, H, W]</c>, plain, values in [0,1].</param>
    /// <param name="bn">Which statistics its batch norms use.</param>
    /// <returns>Logits <c>[N, classes]</c>.</returns>
    /// <exception cref="ShapeException">The images have another size than <see cref="InputShape"/>.</exception>
    public Tensor Forward(Tape tape, Tensor x, BnMode bn)
    {
        RequireInput(x);
        return Record(tape, x, bn);
    }

    private protected void RequireInput(Tensor x) =>
        ShapeException.Require(x.Shape.WithBatch(1) == InputShape, GetType().Name, $"{x} is not a batch of {InputShape}");

    /// <summary>Records the layers.</summary>
    protected abstract Tensor Record(Tape tape, Tensor x, BnMode bn);
}
