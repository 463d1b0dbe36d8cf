using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>A training method, declared by its blocks: which attack makes x′, and which loss is taken where (methods.md 7.2).</summary>
public abstract record Objective
{
    /// <summary>Name in recipes and reports.</summary>
    public abstract string Name { get; }

    /// <summary>The attack that makes x′, or null when the method does not attack.</summary>
    public abstract PgdOptions? Attack { get; }

    /// <summary>Records the loss of a batch.</summary>
    public abstract Loss Loss(Views views);

    /// <summary>The objective that is in force in an epoch, counted from 1.</summary>
    public virtual Objective InEpoch(int epoch) => this;
}
