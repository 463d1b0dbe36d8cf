using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// Max-margin adversarial training (MMA, ICLR'20; methods.md 4.2): (1 − c)·CE at each image's own decision boundary, or at the image
/// itself where it is misclassified, + c·CE(x). Images whose margin exceeds the search's threshold count in the second term only.
/// </summary>
/// <param name="Search">How margins are found.</param>
/// <param name="CleanShare">c.</param>
public sealed record Mma(MarginSearch Search, float CleanShare = 1 / 3f) : Objective
{
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
