using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>How an averaged copy of the network follows it.</summary>
public abstract record Averaging : Modifier
{
    /// <summary>Whether the averaged network is the result of the run, instead of the trained one.</summary>
    public bool Report { get; init; } = true;

    /// <inheritdoc/>
    protected internal sealed override Type Slot => typeof(Averaging);

    /// <inheritdoc/>
    public sealed override StepHook Begin(ModifiedRun run) => new AveragedNet(this, run);

    /// <summary>Updates the average after an optimizer step.</summary>
    public abstract void AfterStep(AveragedNet average, in StepContext moment);

    /// <summary>Updates the average after an epoch; true when its running statistics must be estimated again.</summary>
    public virtual bool AfterEpoch(AveragedNet average, int epoch) => false;

    /// <summary>Whether the average can be the run's result after this many updates.</summary>
    public virtual bool IsReady(long updates) => true;
}

/// <summary>Exponential moving average after each step (methods.md 3.1, 4.11, 4.12).</summary>
/// <param name="Decay">ρ: share of the old average.</param>
/// <param name="Start">First epoch, counted from 1, with averaging; before it the average is a copy.</param>
/// <param name="Probability">Probability that a step updates the average.</param>
/// <param name="Fall">Fraction of that probability that is lost, linearly, by the end of the run.</param>
/// <param name="Statistics">Whether batch norms' running statistics are averaged too.</param>
/// <param name="WarmUp">A smaller decay at first, so that the first values are soon forgotten.</param>
public sealed record EmaAveraging(
    [property: Setting("share of the old average in each step", Source = "official code", Max = 1)] float Decay = 0.999f,
    [property: Setting("first epoch in which the average moves on its own, counted from 1", Source = "official code", Min = 1,
        Without = "without an average")]
    int Start = 1,
    float Probability = 1, bool Statistics = true, AverageWarmUp WarmUp = AverageWarmUp.None, float Fall = 0) : Averaging
{
    /// <summary>Share of the steps that move the average.</summary>
    /// <exception cref="ArgumentException">It is not from 0 to 1.</exception>
    public float Probability { get; init => field = (float)InputCheck.Between(0, 1, value); } =
        (float)InputCheck.Between(0, 1, Probability, nameof(Probability));

    /// <summary>Share of <see cref="Probability"/> that is lost until the end of the run.</summary>
    /// <exception cref="ArgumentException">It is not from 0 to 1.</exception>
    public float Fall { get; init => field = (float)InputCheck.Between(0, 1, value); } =
        (float)InputCheck.Between(0, 1, Fall, nameof(Fall));

    /// <inheritdoc/>
    public override void AfterStep(AveragedNet average, in StepContext moment)
    {
        float chance = Probability * (1 - Fall * (float)moment.Progress);
        if (chance < 1 && !average.Draw(moment, chance)) return;
        if (moment.Epoch < Start) average.Copy();
        else average.Move(Math.Min(Decay, Limit(average.Updates, moment.Step)), Statistics);
    }

    // moment.Step counts the previous steps.
    private float Limit(long updates, long steps) => WarmUp switch
    {
        AverageWarmUp.Steps => 1 - 1f / (steps + 2),
        AverageWarmUp.Updates => (1f + updates) / (10 + updates),
        _ => 1,
    };
}

/// <summary>How the decay of an exponential average is limited at first.</summary>
public enum AverageWarmUp
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>1 − 1/(n + 1) after n steps of the run, the current one included (CURE).</summary>
    Steps,

    /// <summary>(1 + n)/(10 + n) after n updates (Wang et al., ICML'23).</summary>
    Updates,
}

/// <summary>
/// Stochastic weight averaging: the mean of the weights after each epoch (methods.md 4.1, 4.5); running statistics are estimated again.
/// </summary>
/// <param name="Start">First epoch, counted from 1, that is averaged.</param>
public sealed record SwaAveraging(int Start) : Averaging
{
    /// <inheritdoc/>
    public override void AfterStep(AveragedNet average, in StepContext moment)
    {
        // The average is updated once per epoch.
    }

    /// <inheritdoc/>
    public override bool AfterEpoch(AveragedNet average, int epoch)
    {
        if (epoch < Start) return false;
        average.Move(average.Updates / (average.Updates + 1f), statistics: false);
        return true;
    }

    /// <inheritdoc/>
    public override bool IsReady(long updates) => updates > 0;
}
