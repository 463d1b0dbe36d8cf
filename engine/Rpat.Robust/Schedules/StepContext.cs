namespace Rpat.Robust.Schedules;

/// <summary>The position in a run, on which schedules of coefficients depend.</summary>
/// <param name="Epoch">Epoch, counted from 1.</param>
/// <param name="Step">Steps completed before this one, over the whole run.</param>
/// <param name="TotalSteps">Steps of the whole run; 0 if unknown.</param>
/// <param name="Rate">Learning rate of this step.</param>
/// <param name="TopRate">Largest learning rate of the run.</param>
public readonly record struct StepContext(int Epoch, long Step = 0, long TotalSteps = 0, float Rate = 0, float TopRate = 0)
{
    /// <summary>Completed share of the run, from 0 to 1.</summary>
    public double Progress => TotalSteps == 0 ? 0 : Math.Clamp((double)Step / TotalSteps, 0, 1);
}
