namespace Rpat.Robust.Objectives;

/// <summary>
/// A training method, declared by its blocks (methods.md 7.1, 7.2): the attack that makes x′, the loss terms and where they are taken,
/// and what is done around the gradient. Modifiers go on top of any method: <c>new Trades(pgd).With(new Awp(), new
/// RobustPerception())</c>. Methods are compared by value, so two equal ones share what was recorded.
/// </summary>
public abstract record Objective
{
    /// <summary>Name in reports.</summary>
    public string Name =>
        (Row ?? GetType().GetCustomAttributes(typeof(INamed), false).Cast<INamed>().FirstOrDefault()?.Name ?? GetType().Name)
        + string.Concat(Modifiers.Select(modifier => modifier.Suffix));

    /// <summary>Name of the catalog's row that it was made from, which may be a combination; null for the type's own.</summary>
    public string? Row { get; init; }

    /// <summary>The attack that makes x′, or null when the method does not attack.</summary>
    public abstract PgdOptions? Attack { get; }

    /// <summary>The modifiers added on top.</summary>
    public ModifierList Modifiers { get; init; } = ModifierList.None;

    /// <summary>The method's own modifiers, each unless one of its kind is added on top.</summary>
    protected internal virtual IReadOnlyList<Modifier> OwnModifiers => [];

    /// <summary>All modifiers: the method's own, then those on top.</summary>
    public ModifierList AllModifiers => new(
        [.. ContractException.Given(this, OwnModifiers).Where(own => Modifiers.All(m => m.Slot != own.Slot)), .. Modifiers]);

    /// <summary>What the official code does in addition to the method's definition.</summary>
    public virtual ReferenceQuirks Quirks { get; init; }

    /// <summary>Targets instead of the true classes, or null.</summary>
    public virtual TargetRule? Target => null;

    /// <summary>What is stored about each image, or null.</summary>
    public virtual HistoryRule? History => null;

    /// <summary>A search for each image's own radius in place of <see cref="Attack"/>, or null.</summary>
    public virtual MarginSearch? Margins => null;

    /// <summary>Which gradients reach the optimizer; null for all.</summary>
    public virtual GradientMask? Mask => null;

    /// <summary>Names of the frozen networks that the loss uses.</summary>
    public virtual IReadOnlyList<string> Teachers => [];

    /// <summary>The same with those that modifiers use.</summary>
    public IReadOnlyList<string> AllTeachers => [.. ContractException.Given(this, Teachers).Union(
        AllModifiers.SelectMany(modifier => ContractException.Given(modifier, modifier.Teachers)))];

    /// <summary>Whether each image comes in two views, all first views before all second ones.</summary>
    public virtual bool TwoViews => false;

    /// <summary>Whether RPAT's perception term can be added.</summary>
    public virtual bool TakesRpat => true;

    /// <summary>Whether the loss is the cross-entropy at x′ and nothing else, so that RPAT's term can be computed with it.</summary>
    public virtual bool IsCrossEntropy => false;

    /// <summary>Whether the loss needs one true class per image, so that images cannot be mixed (CutMix).</summary>
    public virtual bool NeedsOneClass => AllModifiers.Any(modifier => modifier.Weighting is not null);

    /// <summary>Whether the loss uses the method's own averaged network, which cannot be replaced by another.</summary>
    public virtual bool LooksAtAverage => false;

    /// <summary>Whether the run must start from given weights, or warm up on clean images.</summary>
    public virtual bool WantsWeights => false;

    /// <summary>What the recipes of its published rows assume in addition to its settings.</summary>
    public virtual IReadOnlyList<Assumption> Assumed => [];

    /// <summary>Records the loss of a batch.</summary>
    public abstract Loss Loss(ViewLogits views);

    /// <summary>The loss, which is not null.</summary>
    internal Loss Recorded(ViewLogits views) => Given(this, Loss(views));

    /// <exception cref="ContractException">The part records no loss.</exception>
    internal static Loss Given(object part, Loss? loss) => loss
        ?? throw new ContractException(part.GetType(), "returns no loss: return a term of ViewLogits, or a sum of several.");

    /// <summary>The objective active in an epoch, counted from 1; attack and loss may differ, the other blocks stay the same.</summary>
    public virtual Objective InEpoch(int epoch) => this;

    /// <summary>The method with modifiers on top.</summary>
    public Objective With(params IEnumerable<Modifier> modifiers) => modifiers.Aggregate(this, (method, modifier) =>
        modifier.On(method) ?? throw new ContractException(modifier.GetType(), "returns null from On: return the method with it."));

    /// <summary>Its name and its own settings.</summary>
    public sealed override string ToString() =>
        $"{Name} ({string.Join(", ", Settings.Setting.Of(this).Select(setting => $"{setting.Name}={setting.Default}"))})";

    /// <summary>The method active in an epoch, with only the modifiers that act on it.</summary>
    internal ActiveMethod ForEpoch(int epoch)
    {
        var method = InEpoch(epoch) ?? throw new ContractException(GetType(), "returns null from InEpoch: return a method, such as this.");
        return new(method with { Modifiers = ModifierList.None }, new(AllModifiers.Where(modifier => modifier.Acts(method, epoch))));
    }
}

/// <summary>A method and the modifiers that act on it.</summary>
internal sealed record ActiveMethod(Objective Method, ModifierList Modifiers)
{
    /// <summary>The product of the sample weights of all modifiers; null for none.</summary>
    public SampleWeighting? Weighting => Modifiers.Select(modifier => modifier.Weighting).OfType<SampleWeighting>().ToArray() switch
    {
        [] => null,
        [var only] => only,
        var several => (logits, labels, weights) => Multiply(several, logits, labels, weights),
    };

    /// <summary>The uniform distribution's share in the targets of cross-entropies.</summary>
    public float Smoothing => Modifiers.Select(modifier => modifier.Smoothing).DefaultIfEmpty().Max();

    /// <summary>How the loss is recorded a second time.</summary>
    public ProxyPass Proxy => Modifiers.Select(modifier => modifier.Proxy).DefaultIfEmpty().Max();

    /// <summary>Records the loss of a batch with what modifiers add.</summary>
    public Loss Record(ViewLogits views)
    {
        Func<ViewLogits, Loss> record = Method.Recorded;
        foreach (var modifier in Modifiers) record = Given(modifier, modifier.Extend(Method, record), record);
        var loss = record(views);
        if (views.TookWeights) return loss;
        var weighs = Modifiers.First(modifier => modifier.Weighting is not null);
        throw new InvalidOperationException($"{Method.Name} has no term that takes the sample weights of {weighs.GetType().Name}.");
    }

    // Modifiers recognise what another left as it was.
    private static Func<ViewLogits, Loss> Given(Modifier modifier, Func<ViewLogits, Loss>? record, Func<ViewLogits, Loss> before) =>
        record == before ? before : views => Objective.Given(modifier, record?.Invoke(views));

    private static void Multiply(SampleWeighting[] several, ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        var factors = new float[weights.Length];
        weights.Fill(1);
        foreach (var weigh in several)
        {
            RowRule.Weigh(weigh, logits, labels, factors);
            for (int i = 0; i < factors.Length; i++) weights[i] *= factors[i];
        }
    }
}
