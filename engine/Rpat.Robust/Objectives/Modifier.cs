using System.Collections;

namespace Rpat.Robust.Objectives;

/// <summary>
/// An addition to any method: it may change the loss, weight the samples, and act around each step. Modifiers are compared by value, and
/// a method has at most one of each kind.
/// </summary>
public abstract record Modifier
{
    /// <summary>Appended to the method's name.</summary>
    public virtual string Suffix => "";

    /// <summary>The sample weights for the term that uses them (<see cref="ViewLogits.SampleWeights"/>), or null.</summary>
    public virtual SampleWeighting? Weighting => null;

    /// <summary>The uniform distribution's share in the targets of the method's cross-entropies, from 0 to 1.</summary>
    public virtual float Smoothing => 0;

    /// <summary>Whether and how the loss is recorded a second time, for a gradient before the step's own.</summary>
    public virtual ProxyPass Proxy => ProxyPass.None;

    /// <summary>Names of the frozen networks that the loss then uses in addition to the method's own.</summary>
    public virtual IReadOnlyList<string> Teachers => [];

    /// <summary>Modifiers of the same kind replace each other.</summary>
    protected internal virtual Type Slot => GetType();

    /// <summary>The method with this on top.</summary>
    public virtual Objective On(Objective method) => method with { Modifiers = method.Modifiers.With(this) };

    /// <summary>Whether it acts in an epoch, counted from 1, on the method active there.</summary>
    public virtual bool Acts(Objective method, int epoch) => true;

    /// <summary>The loss with what this adds to it.</summary>
    /// <param name="loss">Records the method's loss, including what previous modifiers added.</param>
    public virtual Func<ViewLogits, Loss> Extend(Objective method, Func<ViewLogits, Loss> loss) => loss;

    /// <summary>What this does around the steps of one run, or null for nothing.</summary>
    public virtual StepHook? Begin(ModifiedRun run) => null;
}

/// <summary>A pass of the loss before the step's own (<see cref="ModifiedStep.RunProxy"/>).</summary>
public enum ProxyPass
{
    /// <summary>None.</summary>
    None,

    /// <summary>The running statistics are updated in the step's own pass.</summary>
    Frozen,

    /// <summary>The running statistics are updated in this pass, and not in the step's own.</summary>
    MovesStatistics,
}

/// <summary>A run in which modifiers act.</summary>
/// <param name="Seed">Seed of the run's random numbers.</param>
public sealed record ModifiedRun(Classifier Net, string Method, AuxiliaryModels Companions, ulong Seed);

/// <summary>A step in which modifiers act.</summary>
public readonly struct ModifiedStep
{
    private readonly Action _proxy;

    internal ModifiedStep(in StepContext moment, Action proxy) => (Moment, _proxy) = (moment, proxy);

    /// <summary>The current step of the run.</summary>
    public StepContext Moment { get; }

    /// <summary>
    /// Computes the loss's gradient at the current weights into the network's parameters, of the whole batch if processes share it; allowed
    /// only if <see cref="Modifier.Proxy"/> requests the pass.
    /// </summary>
    public void RunProxy() => _proxy();
}

/// <summary>A modifier in one run: its state, and what it does around each step.</summary>
public abstract class StepHook : ITrainingState
{
    /// <summary>The network that is the run's result instead of the trained one, or null.</summary>
    public virtual Classifier? Result => null;

    /// <summary>The averaged network that this keeps, or null (<see cref="ViewLogits.Averaged"/>).</summary>
    public virtual Classifier? Average => null;

    /// <summary>Called before the step's pass, when x′ and targets are ready.</summary>
    public virtual void BeforePass(in ModifiedStep step)
    {
    }

    /// <summary>Called before the optimizer's step, which uses the gradient in the network's parameters.</summary>
    public virtual void BeforeUpdate(in ModifiedStep step)
    {
    }

    /// <summary>Called right after the optimizer's step, even if it only accumulated the gradient.</summary>
    public virtual void AfterUpdate(in ModifiedStep step)
    {
    }

    /// <summary>Called at the end of a step that changed the weights.</summary>
    public virtual void AfterMove(in ModifiedStep step)
    {
    }

    /// <summary>Called after an epoch, counted from 1.</summary>
    /// <returns>What must see all training images before the result is used (<see cref="TrainingStep.EndEpoch"/>), or null.</returns>
    public virtual BatchStatistics? AfterEpoch(int epoch) => null;

    /// <inheritdoc/>
    public virtual IEnumerable<NamedArray> State() => [];

    /// <inheritdoc/>
    public virtual void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
    }
}

/// <summary>The modifiers of a method, in the order in which they were added; lists of equal modifiers are equal.</summary>
public sealed class ModifierList : IReadOnlyList<Modifier>, IEquatable<ModifierList>
{
    private readonly Modifier[] _modifiers;
    private readonly int _hash; // each step looks up its program

    internal ModifierList(IEnumerable<Modifier> modifiers)
    {
        _modifiers = [.. modifiers];
        foreach (var modifier in _modifiers) _hash = HashCode.Combine(_hash, modifier);
    }

    /// <summary>No modifier.</summary>
    public static ModifierList None { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _modifiers.Length;

    /// <inheritdoc/>
    public Modifier this[int index] => _modifiers[index];

    /// <summary>The list with one more, which replaces one of its kind.</summary>
    public ModifierList With(Modifier modifier) => new([.. _modifiers.Where(m => m.Slot != modifier.Slot), modifier]);

    /// <inheritdoc/>
    public bool Equals(ModifierList? other) =>
        ReferenceEquals(this, other) || (other is not null && _modifiers.AsSpan().SequenceEqual(other._modifiers));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ModifierList);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public IEnumerator<Modifier> GetEnumerator() => _modifiers.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
