namespace Rpat.Robust.Schedules;

/// <summary>A learning rate as a pure function of the step, so that resuming needs no state.</summary>
public abstract record Schedule
{
    /// <summary>Linear warm-up from 0 over that many steps before <see cref="After"/> takes over.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Rate of a step, counted from 0.</summary>
    public float Rate(int step) => step < WarmupSteps ? After(WarmupSteps) * (step + 1) / WarmupSteps : After(step);

    /// <summary>Rate without warm-up.</summary>
    protected abstract float After(int step);
}

/// <summary>A constant rate.</summary>
public sealed record ConstantSchedule(float Value) : Schedule
{
    /// <inheritdoc/>
    protected override float After(int step) => Value;
}

/// <summary>Multiplied by a factor at each milestone: the rate of step s is Start·Factor^(milestones ≤ s).</summary>
/// <param name="Factor">The factor of each milestone.</param>
/// <param name="Milestones">Steps at which the rate changes.</param>
public sealed record PiecewiseSchedule(float Start, float Factor, IReadOnlyList<int> Milestones) : Schedule
{
    /// <inheritdoc/>
    protected override float After(int step)
    {
        double rate = Start;
        foreach (int milestone in Milestones)
            if (step >= milestone) rate *= Factor;
        return (float)rate;
    }
}

/// <summary>End + (Start − End)·(1 + cos(π·t))/2, t running from 0 after the warm-up to 1 at the end.</summary>
/// <param name="TotalSteps">Steps of the whole run, warm-up included.</param>
public sealed record CosineSchedule(float Start, float End, int TotalSteps) : Schedule
{
    /// <inheritdoc/>
    protected override float After(int step)
    {
        double t = Math.Clamp((step - WarmupSteps) / (double)Math.Max(1, TotalSteps - WarmupSteps), 0, 1);
        return (float)(End + (Start - End) * 0.5 * (1 + Math.Cos(Math.PI * t)));
    }
}
