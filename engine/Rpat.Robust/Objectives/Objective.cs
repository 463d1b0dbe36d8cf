using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// A training method, declared by its blocks (methods.md 7.1, 7.2): which attack makes x′, which loss is taken where, and what is done
/// around the gradient. Methods are compared by value, so two that are equal share what was recorded.
/// </summary>
public abstract record Objective
{
    /// <summary>Name in recipes and reports.</summary>
    public abstract string Name { get; }

    /// <summary>The attack that makes x′, or null when the method does not attack.</summary>
    public abstract PgdOptions? Attack { get; }

    /// <summary>The averaged network, or null.</summary>
    public virtual Averaging? Average { get; init; }

    /// <summary>Adversarial weight perturbation, or null.</summary>
    public virtual WeightPerturbation? Awp { get; init; }

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

    /// <summary>Training-mode forwards on x after the step, as code that logs clean accuracy makes: they only move running statistics.</summary>
    public virtual bool LogsClean => false;

    /// <summary>Records the loss of a batch.</summary>
    public abstract Loss Loss(Views views);

    /// <summary>The objective that is in force in an epoch, counted from 1; attack and loss may differ, the other blocks stay.</summary>
    public virtual Objective InEpoch(int epoch) => this;
}
