using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// Max-margin adversarial training (MMA, ICLR'20; methods.md 4.2): (1 − c)·CE at each image's own decision boundary, or at the image
/// itself if it is misclassified, + c·CE(x). Images whose margin exceeds the search's threshold count in the second term only.
/// </summary>
/// <param name="Pgd">Norm and steps of the search's attack.</param>
[Method("mma", "each image is trained at its own decision boundary", "Ding et al., ICLR'20; methods.md 4.2",
    Attack = "A on the soft margin with each image's radius, then bisection", Terms = "(1 - clean) CE(boundary) + clean CE(x)",
    Weights = "margin below the threshold", Nets = "table of margins",
    Departs = "the bisection runs in evaluation mode, where the official code's runs in training mode and moves running statistics "
        + "(methods.md section 8, number 13)")]
public sealed record Mma(PgdOptions Pgd) : Objective
{
    /// <summary>d_max: images with larger margins are left out of the first term.</summary>
    [Setting("largest margin that is trained", Uncertain = true, Max = 1000,
        Source = "the largest of the official code's; which one the table means is inferred")]
    public float Threshold { get; init; } = 32 / 255f;

    /// <summary>ε_min.</summary>
    [Setting("smallest radius that is attacked", Source = "official code, Linf; 0.5 for L2", Max = 1000)]
    public float Least { get; init; } = 0.005f;

    /// <summary>Rounds of the bisection.</summary>
    [Setting("rounds of the bisection", Source = "official code", Max = 100)]
    public int Rounds { get; init; } = 10;

    /// <summary>c.</summary>
    [Setting("share of the clean cross-entropy", Source = "official code", Max = 1)]
    public float Clean { get; init; } = 1 / 3f;

    /// <inheritdoc/>
    public override PgdOptions? Attack => null;

    /// <inheritdoc/>
    public override MarginSearch Margins => new(Pgd.Norm, Threshold, Least, Pgd.Steps, Rounds);

    /// <inheritdoc/>
    public override bool TakesRpat => false;

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => [Assumptions.Network];

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var clean = v.CrossEntropy(v.Clean);
        return Clean * clean + (1 - Clean) * v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh(v.Margins)));
    }

    private SampleWeighting Weigh(Margins margins) => (logits, labels, weights) =>
    {
        for (int i = 0; i < weights.Length; i++) weights[i] = !margins.Right[i] || margins.Radius[i] < Threshold ? 1 : 0;
    };
}
