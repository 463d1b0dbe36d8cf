using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// GKL, and with a power of 1 IKL (methods.md 4.13): CE(x) and the decoupled divergence, α·(soft cross-entropy of p(x), a constant, and
/// p(x′)) + β·(weighted squared gaps between z(x) and z(x′), with the gradient through both).
/// </summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
[Method("gkl", "clean cross-entropy and the decoupled divergence, weighted by what each class was mistaken for",
    "Cui et al., arXiv:2503.08038 (IKL: NeurIPS'24); methods.md 4.13",
    Attack = "B on KL, radius and step rising over the run", Terms = "CE(x) + alpha SCE(p(x), p(x')) + beta gaps(z(x), z(x'))",
    Nets = "table of each class's mean prediction in the previous epoch", Extra = "weight perturbation",
    Departs = "its L2 attack is the one of TRADES's code and is not implemented; a class without images in an epoch keeps its row")]
public sealed record Gkl(PgdOptions Pgd) : Objective
{
    /// <summary>α.</summary>
    [Setting("weight of the soft cross-entropy", Source = "official code")]
    public float Alpha { get; init; } = 4;

    /// <summary>β.</summary>
    [Setting("weight of the squared gaps", Source = "official code")]
    public float Beta { get; init; } = 20;

    /// <summary>γ.</summary>
    [Setting("power of the class weights: 1 is IKL", Source = "official code: 1 with temperature 4; its second script 0.2 with 1",
        Max = 10)]
    public float Power { get; init; } = 1;

    /// <summary>T of the class means.</summary>
    [Setting("temperature of the class means", Source = "official code", Min = 1e-3, Max = 1000)]
    public float Temperature { get; init; } = 4;

    /// <summary>Epochs in which radius and step rise.</summary>
    [Setting("epochs in which the attack's radius and step rise to theirs; 0 for none", Source = "official code: the whole run")]
    public int Rise { get; init; } = 200;

    /// <summary>γ of the weight perturbation.</summary>
    [Setting("size of the weight perturbation relative to each tensor; 0 for none", Source = "official code", Max = 1)]
    public float Perturb { get; init; } = 0.005f;

    /// <summary>Its first epoch, counted from 1.</summary>
    [Setting("first epoch with weight perturbation, counted from 1", Source = "official code", Min = 1,
        Without = "without weight perturbation")]
    public int PerturbFrom { get; init; } = 10;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.B(InnerLoss.Kl) with { Rise = Rise };

    /// <inheritdoc/>
    public override HistoryRule History => new ClassHistory(Temperature, Power);

    /// <inheritdoc/>
    protected internal override IReadOnlyList<Modifier> OwnModifiers =>
        Perturb == 0 ? [] : [new Awp { Gamma = Perturb, Start = PerturbFrom }];

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var (adversarial, clean) = (v.Adversarial, v.Clean);
        return v.CrossEntropy(clean) + Alpha * v.DistillAt(1, clean, adversarial, v.SampleWeights)
            + Beta * v.WeightedGaps(clean, adversarial);
    }
}
