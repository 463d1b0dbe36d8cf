namespace Rpat.Engine;

/// <summary>Which of its two equivalent forms RPAT's term takes; they differ by a factor (methods.md 1.4).</summary>
public enum PerceptionForm
{
    /// <summary>mean_k R², R = z(x̃) − (1−α)z(x) − αz(x′): the official code.</summary>
    Residual,

    /// <summary>mean_k ((z(x̃)−z(x))/α − (z(x′)−z(x̃))/(1−α))² = mean_k R² / (α(1−α))²: the paper.</summary>
    DifferenceQuotient,
}

/// <summary>RPAT's perception kernels of a backend; logits are plain <c>[N, K]</c>.</summary>
public interface IPerceptionKernels
{
    /// <summary>values[i] = factor·mean_k R_ik², R = z̃ − (1−α)z − αz′ (methods.md 1.3).</summary>
    void Perception(int n, int k, in PerceptionLogits z, float alpha, float factor, DeviceBuffer values);

    /// <summary>Adds to or stores in each wanted gradient coefficient·∂/∂z (methods.md 1.5).</summary>
    void PerceptionGradient(int n, int k, in PerceptionLogits z, float alpha, float coefficient, in PerceptionGradients d);

    /// <summary>
    /// The fused RPAT loss: values[0, i] = cross-entropy of z′, values[1, i] = factor·mean_k R²; one pass over all logits.
    /// </summary>
    void RpatLoss(int n, int k, in PerceptionLogits z, DeviceBuffer labels, float alpha, float factor, DeviceBuffer values);

    /// <summary>All three logit gradients of coefficient·(CE + lambda·factor·mean_k R²) in one pass.</summary>
    void RpatLossGradient(int n, int k, in PerceptionLogits z, DeviceBuffer labels, float alpha, float coefficient, float lambdaFactor,
        in PerceptionGradients d);
}

/// <summary>The logits of the perception term.</summary>
/// <param name="Mixed">u = z(x̃), x̃ = x + α(x′ − x).</param>
/// <param name="Clean">a = z(x).</param>
/// <param name="Adversarial">b = z(x′).</param>
public readonly record struct PerceptionLogits(DeviceBuffer Mixed, DeviceBuffer Clean, DeviceBuffer Adversarial);

/// <summary>Where the gradients go, and which of them are added to what is there (else stored).</summary>
public readonly record struct PerceptionGradients(DeviceBuffer Mixed, DeviceBuffer Clean, DeviceBuffer Adversarial,
    bool AddMixed, bool AddClean, bool AddAdversarial);

/// <summary>Recording of RPAT's perception term (RPAT, ICCV'25; methods.md section 1).</summary>
public static class PerceptionOp
{
    /// <summary>Asks that the logits change linearly along the perturbation; gradients reach all three logits.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="mixed">z(x̃) <c>[N, K]</c>.</param>
    /// <param name="clean">z(x).</param>
    /// <param name="adversarial">z(x′).</param>
    /// <param name="alpha">Position of x̃ between x and x′, in (0, 1).</param>
    /// <param name="form">Residual (official code) or difference quotient (paper).</param>
    /// <exception cref="ShapeException">The sizes differ, or α is not in (0, 1).</exception>
    public static Loss Perception(this Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, float alpha = 0.5f,
        PerceptionForm form = PerceptionForm.Residual)
    {
        Check("Perception", mixed, clean, adversarial, alpha);
        return Loss.Of(tape.Record(new PerceptionTerm(tape, mixed, clean, adversarial, alpha, form)));
    }

    /// <summary>The fused loss CE(z(x′), y) + λ·perception, one kernel each way.</summary>
    /// <inheritdoc cref="Perception"/>
    public static Loss RpatLoss(this Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, Labels labels, float lambda = 1,
        float alpha = 0.5f, PerceptionForm form = PerceptionForm.Residual)
    {
        Check("RpatLoss", mixed, clean, adversarial, alpha);
        ShapeException.Require(labels.Count == mixed.Shape.N, "RpatLoss", $"{mixed} and {labels.Count} labels differ in batch size");
        return Loss.Of(tape.Record(new RpatLossTerm(tape, mixed, clean, adversarial, labels, lambda, alpha, form)));
    }

    /// <summary>1, or (α(1−α))⁻² for the difference quotient.</summary>
    public static float Factor(PerceptionForm form, float alpha) =>
        form == PerceptionForm.Residual ? 1 : (float)Math.Pow(alpha * (1 - (double)alpha), -2);

    private static void Check(string op, Tensor mixed, Tensor clean, Tensor adversarial, float alpha)
    {
        ShapeException.Require(mixed.Shape == clean.Shape && clean.Shape == adversarial.Shape, op, $"{mixed}, {clean} and {adversarial} differ in size");
        ShapeException.Require(alpha is > 0 and < 1, op, $"alpha {alpha} must lie between 0 and 1");
    }
}

internal abstract class PerceptionBase : LossTerm
{
    private readonly Edge _mixed;
    private readonly Edge _clean;
    private readonly Edge _adversarial;

    protected PerceptionBase(Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, params string[] parts)
        : base(tape, mixed.Shape.N, Reduction.Mean, parts)
    {
        (_mixed, _clean, _adversarial) = (tape.WireStored(mixed), tape.WireStored(clean), tape.WireStored(adversarial));
        ShapeException.Require(_mixed.NeedsGrad == _clean.NeedsGrad && _clean.NeedsGrad == _adversarial.NeedsGrad, "Perception",
            "either all three logits carry gradients or none");
        Inputs = [_mixed, _clean, _adversarial];
    }

    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => Inputs.Select(e => e.Stored);
    protected int N => _mixed.Stored.Shape.N;
    protected int K => _mixed.Stored.Shape.C;
    protected PerceptionLogits Logits => new(_mixed.Data, _clean.Data, _adversarial.Data);

    protected PerceptionGradients Gradients =>
        new(_mixed.Grad, _clean.Grad, _adversarial.Grad, _mixed.Accumulate, _clean.Accumulate, _adversarial.Accumulate);
}

internal sealed class PerceptionTerm(Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, float alpha, PerceptionForm form)
    : PerceptionBase(tape, mixed, clean, adversarial, "rpat")
{
    private readonly float _factor = PerceptionOp.Factor(form, alpha);

    public override string Op => "Perception";
    public override void Forward(IKernels k) => k.Perception(N, K, Logits, alpha, _factor, Values.Data);
    public override void Backward(IKernels k) => k.PerceptionGradient(N, K, Logits, alpha, Coefficient * _factor, Gradients);
}

internal sealed class RpatLossTerm(Tape tape, Tensor mixed, Tensor clean, Tensor adversarial, Labels labels, float lambda, float alpha,
    PerceptionForm form) : PerceptionBase(tape, mixed, clean, adversarial, "ce", "rpat")
{
    private readonly float _factor = PerceptionOp.Factor(form, alpha);

    public override string Op => "RpatLoss";
    protected override float PartWeight(int part) => part == 0 ? 1 : lambda;

    public override void Begin() => labels.RequireBelow(K, Op);

    public override void Forward(IKernels k) => k.RpatLoss(N, K, Logits, labels.Data, alpha, _factor, Values.Data);

    public override void Backward(IKernels k) =>
        k.RpatLossGradient(N, K, Logits, labels.Data, alpha, Coefficient, lambda * _factor, Gradients);
}
