namespace Rpat.Nn;

/// <summary>A network that maps images in [0,1], with the input's C, H and W, to logits.</summary>
/// <exception cref="ShapeException">An image has a size below 1, or there is no class.</exception>
public abstract class Classifier(Device device, Shape input, int classes) : Module(device)
{
    /// <summary>The shape of one image, N = 1.</summary>
    public Shape InputShape { get; } = input is { C: > 0, H: > 0, W: > 0 } ? input with { N = 1 }
        : throw new ShapeException("Classifier", $"images {input.C}x{input.H}x{input.W} have a size below 1");

    /// <summary>Number of logits.</summary>
    public int Classes { get; } = classes > 0 ? classes : throw new ShapeException("Classifier", $"{classes} classes are too few");

    /// <summary>Records the network, from plain images <c>[N, C, H, W]</c> in [0,1].</summary>
    /// <returns>Logits <c>[N, classes]</c>.</returns>
    /// <exception cref="ShapeException">The images have another size than <see cref="InputShape"/>.</exception>
    public Tensor Forward(Tape tape, Tensor x, BnMode bn)
    {
        ArgumentNullException.ThrowIfNull(tape);
        RequireInput(x);
        return Record(tape, x, bn);
    }

    private protected void RequireInput(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        ShapeException.Require(x.Shape.WithBatch(1) == InputShape, GetType().Name, $"{x} is not a batch of {InputShape}");
    }

    /// <summary>Records the layers.</summary>
    protected abstract Tensor Record(Tape tape, Tensor x, BnMode bn);
}
