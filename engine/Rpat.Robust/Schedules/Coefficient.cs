namespace Rpat.Robust.Schedules;

/// <summary>
/// The coefficient of a method's term, as a function of the step. It changes a recorded term's weight, so the tape is replayed and never
/// recorded again.
/// </summary>
public abstract record Coefficient
{
    /// <summary>The value at a step.</summary>
    public abstract float At(in StepContext moment);

    /// <summary>A constant.</summary>
    public static implicit operator Coefficient(float value) => new ConstantCoefficient(value);

    /// <summary>Whether the term is always absent.</summary>
    internal virtual bool IsZero => false;
}

/// <summary>A constant.</summary>
public sealed record ConstantCoefficient(float Value) : Coefficient
{
    /// <inheritdoc/>
    public override float At(in StepContext moment) => Value;

    internal override bool IsZero => Value == 0;
}

/// <summary>Another value from an epoch on.</summary>
/// <param name="Epoch">First epoch of the other value, counted from 1.</param>
public sealed record StepCoefficient(float Before, int Epoch, float After) : Coefficient
{
    /// <inheritdoc/>
    public override float At(in StepContext moment) => moment.Epoch < Epoch ? Before : After;
}

/// <summary>(largest rate/rate − 1)/2: increases as the learning rate falls (ReBAT's "dependent"; methods.md 3.1).</summary>
public sealed record RateCoefficient : Coefficient
{
    /// <inheritdoc/>
    public override float At(in StepContext moment) => moment.Rate > 0 ? (moment.TopRate / moment.Rate - 1) / 2 : 0;
}

/// <summary>top·exp(−5(1 − t)²), t rising from 0 to 1 over some epochs; 0 before (TE; methods.md 4.8).</summary>
/// <param name="Start">First epoch, counted from 1.</param>
/// <param name="Length">Epochs until the last value; 0 for the last at once.</param>
public sealed record RampCoefficient(float Top, int Start, int Length) : Coefficient
{
    /// <inheritdoc/>
    public override float At(in StepContext moment)
    {
        if (moment.Epoch < Start) return 0;
        double left = Length == 0 ? 0 : 1 - Math.Min(1, (moment.Epoch - Start) / (double)Length);
        return (float)(Top * Math.Exp(-5 * left * left));
    }
}

/// <summary>top·min(1, epoch/n): rises in a straight line over n epochs (IGDM; methods.md 4.14).</summary>
/// <param name="Epochs">n; 0 for the top at once.</param>
public sealed record LinearCoefficient(float Top, int Epochs) : Coefficient
{
    /// <inheritdoc/>
    public override float At(in StepContext moment) => Epochs == 0 ? Top : Top * Math.Min(1, moment.Epoch / (float)Epochs);
}

/// <summary>The terms whose weights follow coefficients.</summary>
internal sealed class ScheduledTerms
{
    private readonly Dictionary<Engine.Autograd.LossTerm, List<Coefficient>> _coefficients = [];
    private Dictionary<Engine.Autograd.LossTerm, float>? _weights;

    /// <summary>From now on multiplies the term's weight by a coefficient.</summary>
    public Engine.Autograd.Loss Add(Coefficient coefficient, Engine.Autograd.Loss loss)
    {
        if (coefficient is ConstantCoefficient constant) return constant.Value * loss;
        foreach (var term in loss.Terms)
            if (!_coefficients.TryAdd(term, [coefficient])) _coefficients[term].Add(coefficient);
        return loss;
    }

    /// <summary>Sets the weights for a step; the loss is recorded, with all its constant factors.</summary>
    public void Enter(in StepContext moment)
    {
        _weights ??= _coefficients.Keys.ToDictionary(term => term, term => term.Weight);
        foreach (var (term, coefficients) in _coefficients)
        {
            float weight = _weights[term];
            foreach (var coefficient in coefficients) weight *= coefficient.At(moment);
            term.Weight = weight;
        }
    }
}
