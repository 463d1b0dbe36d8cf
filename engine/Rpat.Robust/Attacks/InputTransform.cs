namespace Rpat.Robust.Attacks;

/// <summary>
/// A step before the network that belongs to the defence: a random one (expectation over transformation) or one without a useful
/// derivative, for which <see cref="PullBack"/> may substitute another (BPDA).
/// </summary>
public abstract record InputTransform
{
    /// <summary>Whether two evaluations of one image may differ.</summary>
    public abstract bool IsRandom { get; }

    /// <summary>v = t(u).</summary>
    /// <param name="u">An image <c>[C·H·W]</c>.</param>
    /// <param name="shape">Its channels, height and width.</param>
    /// <param name="random">The random numbers of this evaluation.</param>
    /// <param name="v">Receives what the network sees <c>[C·H·W]</c>.</param>
    public abstract void Apply(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> v);

    /// <summary>Turns ∂L/∂v into ∂L/∂u in place, exactly or by a substitute; the identity unless overridden.</summary>
    /// <param name="u">As in <see cref="Apply"/>.</param>
    /// <param name="shape">As in <see cref="Apply"/>.</param>
    /// <param name="random">As in <see cref="Apply"/>.</param>
    /// <param name="gradient">∂L/∂v on entry, ∂L/∂u on return.</param>
    public virtual void PullBack(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> gradient)
    {
        // The identity.
    }
}

/// <summary>Adds independent normal noise to every value: the defence of randomised smoothing.</summary>
/// <param name="Deviation">Standard deviation in pixel units.</param>
public sealed record GaussianNoise(double Deviation) : InputTransform
{
    /// <inheritdoc/>
    public override bool IsRandom => Deviation > 0;

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> v)
    {
        random.FillNormal(v);
        for (int i = 0; i < v.Length; i++) v[i] = (float)(u[i] + Deviation * v[i]);
    }
}

/// <summary>Rounds every value to one of a few levels; its derivative is zero almost everywhere.</summary>
/// <param name="Levels">Number of levels, at least 2.</param>
/// <param name="StraightThrough">Whether gradients pass as if nothing was rounded (BPDA), or are zero, as they truly are.</param>
/// <exception cref="ArgumentException">There are fewer than 2 levels.</exception>
public sealed record Quantization(int Levels, bool StraightThrough = true) : InputTransform
{
    /// <summary>Number of levels, at least 2.</summary>
    public int Levels { get; init => field = InputCheck.AtLeast(2, value); } = InputCheck.AtLeast(2, Levels, nameof(Levels));

    /// <inheritdoc/>
    public override bool IsRandom => false;

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> v)
    {
        for (int i = 0; i < v.Length; i++) v[i] = MathF.Round(u[i] * (Levels - 1)) / (Levels - 1);
    }

    /// <inheritdoc/>
    public override void PullBack(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> gradient)
    {
        if (!StraightThrough) gradient.Clear();
    }
}
