using System.Reflection;
using Rpat.Engine;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Robust;

/// <summary>
/// A training method, declared by its blocks (methods.md 7.1, 7.2): which attack makes x′, which loss is taken where, and what is done
/// around the gradient. Modifiers go on top of any method: <c>new Trades(pgd) { Awp = new(), Perception = new() }</c>. Methods are compared by
/// value, so two that are equal share what was recorded.
/// </summary>
public abstract record Objective
{
    /// <summary>Name in reports.</summary>
    public string Name => (Row ?? GetType().GetCustomAttribute<MethodAttribute>()?.Name ?? GetType().Name)
        + (Perception is null ? "" : MethodCatalog.RpatSuffix);

    /// <summary>Name of the catalog's row that it was made from, which may be a combination; null for the type's own.</summary>
    public string? Row { get; init; }

    /// <summary>The attack that makes x′, or null when the method does not attack.</summary>
    public abstract PgdOptions? Attack { get; }

    /// <summary>The averaged network, or null.</summary>
    public virtual Averaging? Average { get; init; }

    /// <summary>Adversarial weight perturbation, or null.</summary>
    public virtual Awp? Awp { get; init; }

    /// <summary>Sample weights by the probabilistic margin, or null.</summary>
    public Mail? Mail { get; init; }

    /// <summary>RPAT's perception term, or null.</summary>
    public RobustPerception? Perception { get; init; }

    /// <summary>What the official code does next to the method's definition.</summary>
    public virtual ReferenceQuirks Quirks { get; init; }

    /// <summary>Targets instead of the true classes, or null.</summary>
    public virtual TargetRule? Target => null;

    /// <summary>What is remembered of each image, or null.</summary>
    public virtual HistoryRule? History => null;

    /// <summary>A search for each image's own radius in place of <see cref="Attack"/>, or null.</summary>
    public virtual MarginSearch? Margins => null;

    /// <summary>Which gradients reach the optimizer; null for all.</summary>
    public virtual GradientMask? Mask => null;

    /// <summary>Names of the frozen networks that the loss looks at.</summary>
    public virtual IReadOnlyList<string> Teachers => [];

    /// <summary>Whether each image comes in two views, all first views before all second ones.</summary>
    public virtual bool TwoViews => false;

    /// <summary>Whether RPAT's perception term can be added.</summary>
    public virtual bool TakesRpat => true;

    /// <summary>Whether the loss needs one true class for each image, so that images cannot be mixed (CutMix).</summary>
    public virtual bool NeedsOneClass => Mail is not null;

    /// <summary>Whether the loss looks at an averaged network of the method's own, in whose place none can be put.</summary>
    public virtual bool LooksAtAverage => false;

    /// <summary>Whether the run must start from given weights, or warm up on clean images.</summary>
    public virtual bool WantsWeights => false;

    /// <summary>What the recipes of its published rows assume next to its settings.</summary>
    public virtual IReadOnlyList<Assumption> Assumed => [];

    /// <summary>Records the loss of a batch.</summary>
    public abstract Loss Loss(Views views);

    /// <summary>The objective that is in force in an epoch, counted from 1; attack and loss may differ, the other blocks stay.</summary>
    public virtual Objective InEpoch(int epoch) => this;

    /// <summary>Likewise, with the modifiers that act in that epoch.</summary>
    internal Objective ForEpoch(int epoch)
    {
        var method = InEpoch(epoch);
        if (method.Perception?.Acts(method, epoch) == false) method = method with { Perception = null };
        return epoch < method.Mail?.Start ? method with { Mail = null } : method;
    }

    /// <summary>Records the loss of a batch with what modifiers add.</summary>
    internal Loss Record(Views views)
    {
        var loss = Perception?.Record(this, views) ?? Loss(views);
        return views.TookWeights ? loss : throw new InvalidOperationException($"{Name} has no term that takes MAIL's sample weights.");
    }
}
