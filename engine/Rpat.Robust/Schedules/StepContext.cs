namespace Rpat.Robust.Schedules;

/// <summary>Where a run stands: what schedules of coefficients depend on.</summary>
/// <param name="Epoch">Epoch, counted from 1.</param>
/// <param name="Step">Steps done before this one, over the whole run.</param>
/// <param name="TotalSteps">Steps of the whole run; 0 where it is not known.</param>
/// <param name="Rate">Learning rate of this step.</param>
/// <param name="TopRate">Largest learning rate of the run.</param>
public readonly record struct StepContext(int Epoch, long Step = 0, long TotalSteps = 0, float Rate = 0, float TopRate = 0)
{
    /// <summary>Share of the run that is done, from 0 to 1.</summary>
    public double Progress => TotalSteps == 0 ? 0 : Math.Clamp((double)Step / TotalSteps, 0, 1);
}
