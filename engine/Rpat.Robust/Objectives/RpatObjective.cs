using Rpat.Engine;
using Rpat.Robust.Losses;

namespace Rpat.Robust;

/// <summary>
/// Robust Perception Adversarial Training (RPAT, ICCV'25; methods.md section 1) on top of another method: its loss plus
/// λ·mean (z(x̃) − (1−α)z(x) − αz(x′))². A weight of zero is not computed at all.
/// </summary>
/// <param name="Base">The method that it is added to.</param>
/// <param name="Lambda">Weight of the perception term.</param>
/// <param name="Alpha">Position of x̃ between x and x′.</param>
/// <param name="Form">The official code's form, or the paper's.</param>
/// <param name="StartEpoch">First epoch, counted from 1, in which the term is active.</param>
public sealed record RpatObjective(Objective Base, float Lambda = 1, float Alpha = 0.5f, PerceptionForm Form = PerceptionForm.Residual,
    int StartEpoch = 0) : Objective
{
    /// <summary>The settings that NAME+rpat has besides NAME's (<c>method.rpat.…</c>).</summary>
    public static IReadOnlyList<MethodParameter> Parameters { get; } =
    [
        MethodParameter.Number("rpat.weight", "1", "lambda, the perception term's weight in the scale of its form", Default) with { Uncertain = true },
        MethodParameter.Number("rpat.alpha", "0.5", "place of the middle image between clean (0) and adversarial (1)", Default) with { Most = 1, Uncertain = true },
        MethodParameter.Choice("rpat.form", "code", "scale of the term: the official code's, or the paper's difference quotients", "the official code's; which one made the tables is unknown", "code", "quotient") with { Uncertain = true },
        MethodParameter.Epoch("rpat.start", 0, "first epoch that uses the term", Default) with { Uncertain = true },
    ];

    private const string Default = "the official code's default; what each table took is unknown";

    /// <inheritdoc/>
    public override string Name => $"{Base.Name}+rpat";

    /// <inheritdoc/>
    public override PgdOptions? Attack => Base.Attack;

    /// <inheritdoc/>
    public override Averaging? Average
    {
        get => base.Average ?? Base.Average;
        init => base.Average = value;
    }

    /// <inheritdoc/>
    public override WeightPerturbation? Awp
    {
        get => base.Awp ?? Base.Awp;
        init => base.Awp = value;
    }

    /// <inheritdoc/>
    public override TargetRule? Target => Base.Target;

    /// <inheritdoc/>
    public override HistoryRule? History => Base.History;

    /// <inheritdoc/>
    public override MarginSearch? Margins => Base.Margins;

    /// <inheritdoc/>
    public override GradientMask? Mask => Base.Mask;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Teachers => Base.Teachers;

    /// <inheritdoc/>
    public override bool TwoViews => Base.TwoViews;

    /// <inheritdoc/>
    public override bool LogsClean => Base.LogsClean;

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch)
    {
        var inForce = Base.InEpoch(epoch);
        return Lambda == 0 || epoch < StartEpoch || inForce.Attack is null ? inForce : WithBase(inForce); // without x′ there is no perception to train
    }

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        if (Base is PgdAt && v.Targets is null) return Fused(v);
        var loss = Base.Loss(v);
        return loss + Lambda * v.Perception(Alpha, Form);
    }

    private RpatObjective WithBase(Objective inEpoch) => ReferenceEquals(inEpoch, Base) ? this : this with { Base = inEpoch };

    /// <summary>PGD-AT's cross-entropy and the term in one kernel; forwards in the order x′, x̃, x (methods.md 1.5).</summary>
    private Loss Fused(Views v)
    {
        var (adversarial, mixed, clean) = (v.Adversarial, v.At(Alpha), v.Clean);
        return v.Tape.RpatLoss(mixed, clean, adversarial, v.Labels, Lambda, Alpha, Form);
    }
}
