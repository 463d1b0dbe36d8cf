namespace Rpat.Robust.Attacks;

/// <summary>Refuses images, labels and radii for which an attack or a training step can give no meaningful result.</summary>
internal static class InputCheck
{
    /// <summary>Draws of a query that have random numbers of their own.</summary>
    public const int MostDraws = 64;

    /// <exception cref="ArgumentException">A number of steps, restarts or the like is below 1.</exception>
    public static int FromOne(int value, [CallerMemberName] string name = "") => AtLeast(1, value, name);

    /// <exception cref="ArgumentException">It is below.</exception>
    public static int AtLeast(int least, int value, [CallerMemberName] string name = "") => value >= least ? value
        : throw new ArgumentException($"{name} is {value}, which makes no attack: give {least} or more.");

    /// <summary>Draws that a gradient is averaged over, each of which has random numbers of its own.</summary>
    /// <exception cref="ArgumentException">It is not from 1 to 64.</exception>
    public static int Draws(int value) => value <= MostDraws ? FromOne(value)
        : throw new ArgumentException($"Draws is {value}: a gradient is averaged over 1 to {MostDraws} draws.");

    /// <exception cref="ArgumentException">It is no number of the range.</exception>
    /// <param name="open">Whether the lower end is none of it.</param>
    public static double Between(double least, double most, double value, [CallerMemberName] string name = "", bool open = false) =>
        value >= least && value <= most && !(open && value == least) ? value : throw new ArgumentException(FormattableString.Invariant(
            $"{name} is {value}: give a number {(open ? "above" : "from")} {least}{(most < Large ? FormattableString.Invariant($" to {most}") : "")}."));

    /// <summary>The end of ranges that have none.</summary>
    public const double Large = 1e30;

    /// <exception cref="ArgumentNullException">It is null.</exception>
    public static T Given<T>(T? value, [CallerMemberName] string name = "") where T : class =>
        value ?? throw new ArgumentNullException(name);

    /// <exception cref="ArgumentException">Sizes do not match, a value is not a pixel, or a label is not a class.</exception>
    public static void Require(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, Shape image, int classes)
    {
        if (images.Length != (long)labels.Length * image.SampleCount)
            throw new ArgumentException(
                $"{images.Length} values are not {labels.Length} images of {image.C}x{image.H}x{image.W}: give one label an image, and "
                    + $"images of the network's size.");
        if (classes < 2) throw new ArgumentException("A network with a single class cannot be attacked: it has no other class to give.");
        PixelRange.Require(images, image);
        RequireClasses(labels, classes);
    }

    /// <exception cref="ArgumentException">A label is not a class.</exception>
    public static void RequireClasses(ReadOnlySpan<int> labels, int classes)
    {
        for (int i = 0; i < labels.Length; i++)
            if ((uint)labels[i] >= (uint)classes)
                throw new ArgumentException(
                    $"Label {labels[i]} of image {i} is not a class of 0 to {classes - 1}: check that data and network belong together.");
    }

    /// <returns>The size of an image.</returns>
    /// <exception cref="ShapeException">The images have another size than the network's, which may take them as flat rows.</exception>
    public static Shape RequireSize(LabeledImages images, Classifier net)
    {
        ArgumentNullException.ThrowIfNull(images);
        Shape image = new(1, images.Channels, images.Height, images.Width), input = net.InputShape;
        if (image != input && !(input.Area == 1 && image.SampleCount == input.C))
            throw new ShapeException(net.GetType().Name,
                $"images {images.Channels}x{images.Height}x{images.Width} of '{images.Name}' are not a batch of {net.InputShape}");
        return image;
    }

    /// <exception cref="ArgumentException">The radius is not one in pixel units of [0,1].</exception>
    /// <param name="image">An image: no two are farther apart than black and white.</param>
    public static void RequireRadius(string who, Norm norm, double eps, Shape image)
    {
        double most = norm.Diameter(image.SampleCount);
        if (eps > 0 && eps <= most * (1 + 1e-6)) return;
        throw new ArgumentException(FormattableString.Invariant(
            $"{who}eps {eps:G7} must lie in (0, {most:0.##}]: pixels are in [0,1], so 8 of 255 levels are 8/255")
            + (eps == 0 ? ", which C# writes as 8 / 255.0." : "."));
    }

    /// <exception cref="ArgumentException">The attack was made for another norm or radius.</exception>
    public static void RequireThreat(string who, Attack attack, Norm norm, double eps)
    {
        if (attack.Norm != norm || attack.Eps != eps)
            throw new ArgumentException(FormattableString.Invariant(
                $"{who}{attack.Name} attacks {attack.Norm.Name} with eps {attack.Eps} where {norm.Name} and {eps} are evaluated: ")
                + "make each suite with the norm and the radius that it is given.");
    }

    /// <exception cref="ArgumentException">The step is not one in pixel units of [0,1], or far longer than the radius.</exception>
    public static void RequireStep(string who, Norm norm, double step, double eps, Shape image)
    {
        const double Far = 10, Short = 0.1, Fast = 1.25; // of radii; the step of fast adversarial training
        double most = Math.Max(norm.Diameter(image.SampleCount), Fast * eps), near = Math.Max(Far * eps, norm == Norm.Linf ? Short : 1);
        if (step > 0 && step <= Math.Min(most, near)) return;
        throw new ArgumentException(FormattableString.Invariant(
            $"{who}step size {step:G7} must be positive and fit the radius {eps:G7}: pixels are in [0,1], so 2 of 255 levels are 2/255")
            + (step == 0 ? ", which C# writes as 2 / 255.0." : "."));
    }
}
