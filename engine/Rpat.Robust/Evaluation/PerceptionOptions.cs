namespace Rpat.Robust.Evaluation;

/// <summary>How the perception of a network is measured (methods.md section 5).</summary>
public sealed record PerceptionOptions
{
    /// <summary>Name of the perturbation in reports: <c>noise</c>, <c>pgd10</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The attack that makes x′; noise is an attack of zero steps from a random point of the ball.</summary>
    public required PgdOptions Perturbation { get; init; }

    /// <summary>Positions between x and x′ at which perception and prediction are measured, ascending, from 0 to 1.</summary>
    public IReadOnlyList<double> Alphas { get; init; } = Tenths;

    /// <summary>Seed of random starts.</summary>
    public ulong Seed { get; init; }

    /// <summary>Images at a time; no result depends on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public int Batch
    {
        get;
        init
        {
            field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A batch has at least 1 image.");
        }
    } = 100;

    /// <summary>0, 0.1, …, 1.</summary>
    public static IReadOnlyList<double> Tenths { get; } = [.. Enumerable.Range(0, 11).Select(i => i / 10.0)];

    /// <summary>0, 1/8, …, 1: the official code's weak attacks x + (w/8)·Δ.</summary>
    public static IReadOnlyList<double> Eighths { get; } = [.. Enumerable.Range(0, 9).Select(i => i / 8.0)];

    /// <summary>Uniform noise in the ball, clipped to the box (M1 and M2 of the paper's motivation).</summary>
    public static PerceptionOptions Noise(Norm norm, float eps) =>
        new() { Name = "noise", Perturbation = new PgdOptions { Norm = norm, Eps = eps, IsNoise = true } };

    /// <summary>PGD with a random start (M3 and M4).</summary>
    public static PerceptionOptions Pgd(Norm norm, float eps, float step, int steps = 10) =>
        new()
        {
            Name = FormattableString.Invariant($"pgd{steps}"),
            Perturbation = new PgdOptions
            { Norm = norm, Eps = eps, StepSize = step, Steps = steps }
        };
}
