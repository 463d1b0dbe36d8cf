using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>
/// Indirect gradient matching (IGDM, ICLR'25; methods.md 4.14) on top of any method that attacks: its loss + weight·min(1, epoch/rise)·
/// KL(softmax(z_T(x′) − z_T(x⁻)) ‖ softmax(z(x′) − z(x⁻))), x⁻ = x − (x′ − x), T a robust teacher.
/// </summary>
public sealed record IndirectGradient : Modifier
{
    private const string Robust = "robust";

    /// <summary>Last weight.</summary>
    [Setting("last weight of the matched differences", Source = "official code")]
    public float Matching { get; init; } = 20;

    /// <summary>Epochs in which the weight rises.</summary>
    [Setting("epochs in which that weight rises from 0", Source = "official code")]
    public int Rise { get; init; } = 200;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Teachers => Matching == 0 ? [] : [Robust];

    /// <inheritdoc/>
    public override bool Acts(Objective method, int epoch) => Matching != 0 && method.Attack is not null;

    /// <inheritdoc/>
    public override Func<ViewLogits, Loss> Extend(Objective method, Func<ViewLogits, Loss> loss) => v =>
    {
        var own = loss(v);
        var taught = v.Teacher(Robust).Difference(1, -1);
        var learnt = v.Tape.Subtract(v.Adversarial, v.At(-1));
        return own + v.Times(new LinearCoefficient(Matching, Rise), v.Distill(taught, learnt, detach: true));
    };
}
