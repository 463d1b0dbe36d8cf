using Rpat.Robust.Losses;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>
/// Robust Perception Adversarial Training (RPAT, ICCV'25; methods.md section 1) on top of any method: its loss plus λ·mean (z(x̃) −
/// (1−α)z(x) − αz(x′))². With a weight of zero nothing is computed.
/// </summary>
public sealed record RobustPerception : Modifier
{
    /// <summary>Appended to the name of a method with the term.</summary>
    internal const string NameSuffix = "+rpat";

    private const string Official = "the official code's default; what each table took is unknown";

    /// <summary>λ, in the scale of <see cref="Form"/>.</summary>
    [Setting("lambda, the perception term's weight in the scale of its form", Source = Official, Uncertain = true)]
    public float Weight { get; init; } = 1;

    /// <summary>Position of x̃ between x and x′.</summary>
    [Setting("place of the middle image between clean (0) and adversarial (1)", Source = Official, Min = 1e-3, Max = 0.999,
        Uncertain = true)]
    public float Alpha { get; init; } = 0.5f;

    /// <summary>The official code's form, or the paper's.</summary>
    [Setting("scale of the term: the official code's, or the paper's difference quotients", Plural = "forms", Uncertain = true,
        Source = "the official code's; which one made the tables is unknown")]
    public PerceptionForm Form { get; init; }

    /// <summary>First epoch, counted from 1, in which the term is active; 0 and 1 both mean from the start.</summary>
    [Setting("first epoch (from 1) that uses the term", Source = Official, Uncertain = true, Without = "without the perception term")]
    public int Start { get; init; }

    /// <inheritdoc/>
    public override string Suffix => NameSuffix;

    /// <inheritdoc/>
    /// <remarks>Without x′ there is no perception to train.</remarks>
    public override bool Acts(Objective method, int epoch) => Weight != 0 && epoch >= Start && method.Attack is not null;

    /// <inheritdoc/>
    public override Func<ViewLogits, Loss> Extend(Objective method, Func<ViewLogits, Loss> loss)
    {
        bool bare = method.IsCrossEntropy && loss == method.Recorded;
        return v => bare && v is { Targets: null, WeighsSamples: false, Smoothing: 0 } ? Fused(v)
            : loss(v) + Weight * v.Perception(Alpha, Form);
    }

    /// <summary>The cross-entropy and the term in one kernel; forwards in the order x′, x̃, x (methods.md 1.5).</summary>
    private Loss Fused(ViewLogits v)
    {
        var (adversarial, mixed, clean) = (v.Adversarial, v.At(Alpha), v.Clean);
        return v.Tape.RpatLoss(mixed, clean, adversarial, v.Labels, Weight, Alpha, Form);
    }
}
