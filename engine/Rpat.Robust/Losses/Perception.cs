using System.Text.Json.Serialization;

namespace Rpat.Robust.Losses;

/// <summary>Which of its two equivalent forms RPAT's term has; they differ by a factor (methods.md 1.4).</summary>
public enum PerceptionForm
{
    /// <summary>mean_k R², R = z(x̃) − (1−α)z(x) − αz(x′): the official code.</summary>
    [JsonStringEnumMemberName("code")]
    Residual,

    /// <summary>mean_k ((z(x̃)−z(x))/α − (z(x′)−z(x̃))/(1−α))² = mean_k R² / (α(1−α))²: the paper.</summary>
    [JsonStringEnumMemberName("quotient")]
    DifferenceQuotient,
}

/// <summary>
/// RPAT's term factor·mean_k R², R = z(x̃) − (1−α)z(x) − αz(x′): the logits should change linearly along the perturbation (methods.md 1.3,
/// 1.5). The rows are z(x′), z(x), z(x̃).
/// </summary>
/// <param name="alpha">Position of x̃ = x + α(x′ − x), in (0, 1).</param>
/// <param name="form">Residual (official code) or difference quotient (paper).</param>
public readonly struct PerceptionLoss(float alpha, PerceptionForm form = PerceptionForm.Residual) : IRowLoss
{
    private readonly double _alpha = alpha;
    private readonly double _factor = form == PerceptionForm.Residual ? 1
        : 1 / (alpha * (1 - (double)alpha)) / (alpha * (1 - (double)alpha));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) sum += Residual(rows, j) * Residual(rows, j);
        return _factor * rows.Z.Sum(sum) / rows.Z.Count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) Put(rows, j, factor, 0);
    }

    /// <summary>∂/∂z(x′) = −αg + <paramref name="own"/>, ∂/∂z(x) = −(1−α)g, ∂/∂z(x̃) = g, g = factor·2R/K.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Put<TRow>(LossRows<TRow> rows, int j, double factor, double own) where TRow : struct, IRow
    {
        double g = factor * _factor * 2 * Residual(rows, j) / rows.Z.Count;
        rows.Z.Put(j, own - _alpha * g);
        rows.Second.Put(j, -(1 - _alpha) * g);
        rows.Third.Put(j, g);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Residual<TRow>(LossRows<TRow> rows, int j) where TRow : struct, IRow =>
        rows.Third.At(j) - (1 - _alpha) * rows.Second.At(j) - _alpha * rows.Z.At(j);
}

/// <summary>The fused RPAT loss CE(z(x′), y) + λ·perception: one pass over z(x′), z(x), z(x̃), forward and backward.</summary>
public readonly struct RpatLoss(float lambda, PerceptionLoss perception) : IRowLoss
{
    private readonly float _lambda = lambda;
    private readonly PerceptionLoss _perception = perception;

    /// <summary>The parts: cross-entropy and, times λ, the perception term.</summary>
    public IReadOnlyList<LossPart> Parts => [new("ce"), new("rpat", _lambda)];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow =>
        part == 0 ? new CrossEntropy().Value(rows, 0) : _perception.Value(rows, 0);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1);
        for (int j = z.First; j < z.Count; j += z.Step)
            _perception.Put(rows, j, factor * _lambda, factor * CrossEntropy.At(z, j, norm, rows.Label));
    }
}

/// <summary>Records RPAT's loss (RPAT, ICCV'25; methods.md section 1).</summary>
public static class PerceptionOp
{
    /// <summary>Penalises logits that do not change linearly along the perturbation; gradients reach all three logits.</summary>
    /// <param name="mixed">z(x̃) <c>[N, K]</c>.</param>
    /// <param name="alpha">Position of x̃ between x and x′, in (0, 1).</param>
    /// <param name="form">Residual (official code) or difference quotient (paper).</param>
    /// <exception cref="ShapeException">The sizes differ, or α is not in (0, 1).</exception>
    public static Loss Perception(this Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, float alpha = 0.5f,
        PerceptionForm form = PerceptionForm.Residual)
    {
        Check(nameof(PerceptionLoss), alpha);
        return tape.RowLoss("rpat", new PerceptionLoss(alpha, form), adversarial,
            new() { Second = Argument.Given(clean), Third = Argument.Given(mixed) });
    }

    /// <summary>The fused loss CE(z(x′), y) + λ·perception, one kernel for each direction.</summary>
    /// <inheritdoc cref="Perception"/>
    public static Loss RpatLoss(this Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, Labels labels, float lambda = 1,
        float alpha = 0.5f, PerceptionForm form = PerceptionForm.Residual)
    {
        Check(nameof(Losses.RpatLoss), alpha);
        var loss = new RpatLoss(lambda, new PerceptionLoss(alpha, form));
        return tape.RowLoss("rpat", loss, adversarial, new()
        { Second = Argument.Given(clean), Third = Argument.Given(mixed), Labels = Argument.Given(labels), Parts = loss.Parts });
    }

    private static void Check(string op, float alpha)
    {
        if (alpha is not (> 0 and < 1)) throw new ShapeException(op, $"alpha {alpha} must lie between 0 and 1");
    }
}
