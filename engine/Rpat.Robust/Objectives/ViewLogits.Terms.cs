using Rpat.Robust.Losses;

namespace Rpat.Robust.Objectives;

/// <summary>The loss terms of methods.md 7.1, means over the batch.</summary>
public sealed partial class ViewLogits
{
    /// <summary>① Cross-entropy with the batch's targets: the classes, or soft ones; smoothed by <see cref="Smoothing"/>.</summary>
    /// <param name="logits">z <c>[N, K]</c>.</param>
    /// <param name="weights">One factor per sample, or null.</param>
    public Loss CrossEntropy(Tensor logits, Tensor? weights = null) => Smoothing == 0 ? Sharp(logits, weights)
        : (1 - Smoothing) * Sharp(logits, weights)
            + Smoothing * Tape.RowLoss("uniform", new UniformCrossEntropy(), logits, new() { Weights = weights });

    private Loss Sharp(Tensor logits, Tensor? weights)
    {
        if (Targets is { } targets)
            return Tape.RowLoss("ce", new SoftCrossEntropy(), logits, new() { Second = targets, Detach = true, Weights = weights });
        return weights is null
            ? Tape.CrossEntropy(logits, Labels)
            : Tape.RowLoss("ce", new CrossEntropy(), logits, new() { Labels = Labels, Weights = weights });
    }

    /// <summary>② −log(1.0001 − p_j), j the most probable wrong class (MART).</summary>
    public Loss Complement(Tensor logits, Tensor? weights = null) =>
        Tape.RowLoss("complement", new Complement(), logits, new() { Labels = Labels, Weights = weights });

    /// <summary>③ KL(softmax(scale·target) ‖ softmax(scale·logits)); the gradient reaches both, or only the logits.</summary>
    /// <param name="target">Logits <c>[N, K]</c> of the distribution to learn.</param>
    /// <param name="logits">z <c>[N, K]</c>.</param>
    /// <param name="scale">Factor of both.</param>
    /// <param name="weights">One factor per sample, or null.</param>
    /// <param name="detach">Whether the gradient stops at the target; always so if the target comes from another network.</param>
    public Loss Distill(Tensor target, Tensor logits, float scale = 1, Tensor? weights = null, bool detach = false) =>
        scale == 1 && weights is null
            ? Tape.KlDivergence(target, logits, detach)
            : Tape.RowLoss("kl", new KlDivergence(scale), logits, new() { Second = target, Detach = detach, Weights = weights });

    /// <summary>③ as distillation at a temperature T: −T²·Σ softmax(target/T)·log softmax(logits/T), the target a constant.</summary>
    public Loss DistillAt(float temperature, Tensor target, Tensor logits, Tensor? weights = null) => Tape.RowLoss(
        "kd", new KlDivergence(1 / temperature, temperature * temperature, crossEntropy: true), logits, new()
        { Second = target, Detach = true, Weights = weights });

    /// <summary>③ with MART's weight 1 − p_y(x), not detached: (1.0000001 − q_y)·KL(q ‖ p).</summary>
    public Loss MartDistill(Tensor clean, Tensor logits) =>
        Tape.RowLoss("kl", new MartDivergence(), logits, new() { Second = clean, Labels = Labels });

    /// <summary>④ mean_k (p_k − t_k)² with the stored probabilities of the image (TE).</summary>
    public Loss Memory(Tensor logits) =>
        Tape.RowLoss("memory", new SquaredProbability(), logits, new() { Second = Remembered, Detach = true });

    /// <summary>
    /// The weighted squared differences of logit gaps, ¼ Σ_jk w_j w_k ((a_j − a_k) − (b_j − b_k))², a = <paramref name="clean"/>, b =
    /// <paramref name="logits"/>, w the class's row of a <see cref="ClassHistory"/>; the gradient reaches both (GKL).
    /// </summary>
    public Loss WeightedGaps(Tensor clean, Tensor logits) =>
        Tape.RowLoss("gaps", new WeightedGaps(), logits, new() { Second = clean, Third = Remembered });

    /// <summary>The row that the table has for each image <c>[N, K]</c>.</summary>
    public Tensor Remembered =>
        _program.History ?? throw new InvalidOperationException("The method remembers nothing: declare a History.");

    /// <summary>⑤ RPAT's perception term at α; forwards not yet recorded are recorded in the order x̃, x, x′.</summary>
    public Loss Perception(float alpha, PerceptionForm form) => Tape.Perception(At(alpha), Clean, Adversarial, alpha, form);

    /// <summary>⑥ Jensen–Shannon divergence of the two views of each image at a temperature (Consistency-AT).</summary>
    public Loss Consistency(Tensor logits, float temperature) =>
        Tape.RowLoss("jsd", new JensenShannon(temperature), logits, new() { Halves = true });

    /// <summary>⑥ The same divergence between two given rows of logits <c>[N, K]</c>; the gradient reaches both.</summary>
    public Loss Consistency(Tensor first, Tensor second, float temperature, Tensor? weights = null) =>
        Tape.RowLoss("jsd", new JensenShannon(temperature), first, new() { Second = second, Weights = weights });

    /// <summary>⑦ One against the rest (SOVR).</summary>
    public Loss OneVsRest(Tensor logits, Tensor? weights = null) =>
        Tape.RowLoss("ovr", new OneVsRest(), logits, new() { Labels = Labels, Weights = weights });

    /// <summary>Sample weights from a batch's logits, treated as constants by the gradient.</summary>
    public Tensor Weights(Tensor logits, SampleWeighting weigh) => Tape.SampleWeights(logits, Labels, weigh);
}
