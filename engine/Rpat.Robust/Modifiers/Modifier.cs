namespace Rpat.Robust.Modifiers;

/// <summary>What goes on top of any method: weight perturbation, averages, sample weights, the perception term.</summary>
public abstract record Modifier
{
    /// <summary>The method with this on top.</summary>
    public abstract Objective On(Objective method);
}
