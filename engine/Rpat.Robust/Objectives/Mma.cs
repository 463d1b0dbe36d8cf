using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// Max-margin adversarial training (MMA, ICLR'20; methods.md 4.2): (1 − c)·CE at each image's own decision boundary, or at the image
/// itself where it is misclassified, + c·CE(x). Images whose margin exceeds the search's threshold count in the second term only.
/// </summary>
/// <param name="Search">How margins are found.</param>
/// <param name="CleanShare">c.</param>
public sealed record Mma(MarginSearch Search, float CleanShare = 1 / 3f) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("mma", "each image is trained at its own decision boundary", "Ding et al., ICLR'20; methods.md 4.2",
            new("A on the soft margin with each image's radius, then bisection", "(1 - clean) CE(boundary) + clean CE(x)") { Weights = "margin below the threshold", Nets = "table of margins" },
            static (s, pgd) => new Mma(new(pgd.Norm, s.Number("threshold"), s.Number("least"), pgd.Steps, s.Whole("rounds")), s.Number("clean")))
        {
            Assumed = [Assumptions.Network],
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("threshold", "32/255", "largest margin that is trained", "the largest of the official code's; which one the table means is inferred") with { Uncertain = true },
                MethodParameter.Number("least", "0.005", "smallest radius that is attacked", "official code, Linf; 0.5 for L2"),
                new MethodParameter("rounds", SettingKind.Whole, "10", "rounds of the bisection", "official code"),
                MethodParameter.Number("clean", "1/3", "share of the clean cross-entropy", "official code") with { Most = 1 },
            ],
            TakesRpat = false,
        },
    ];

    /// <inheritdoc/>
    public override string Name => "mma";

    /// <inheritdoc/>
    public override PgdOptions? Attack => null;

    /// <inheritdoc/>
    public override MarginSearch Margins => Search;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var clean = v.CrossEntropy(v.Clean);
        return CleanShare * clean + (1 - CleanShare) * v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh(v.Margins)));
    }

    private SampleWeighting Weigh(Margins margins) => (logits, labels, weights) =>
    {
        for (int i = 0; i < weights.Length; i++) weights[i] = !margins.Right[i] || margins.Radius[i] < Search.Threshold ? 1 : 0;
    };
}
