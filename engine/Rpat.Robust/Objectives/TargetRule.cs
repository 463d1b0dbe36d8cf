namespace Rpat.Robust.Objectives;

/// <summary>Makes target probabilities that replace the true classes, before the attack.</summary>
public abstract record TargetRule
{
    /// <summary>Computes the targets of a batch.</summary>
    /// <param name="glance">Logits <c>[N, K]</c> of the averaged network at the clean images, in evaluation mode.</param>
    /// <param name="targets">Receives probabilities <c>[N, K]</c>.</param>
    public abstract void Fill(ReadOnlySpan<float> glance, ReadOnlySpan<int> labels, in StepContext moment, Span<float> targets);
}

/// <summary>
/// Annealing self-distillation rectification (ADR, ICLR'24; methods.md 4.11): t = λ_i·q + (1 − λ_i)·onehot(y), q the averaged network's
/// softmax at a falling temperature, λ_i = clip(λ − (max q − q_y), 0, 1) with a rising λ; both annealed by half a cosine.
/// </summary>
public sealed record RectifiedTarget(float FirstTemperature, float LastTemperature, float FirstShare, float LastShare) : TargetRule
{
    /// <inheritdoc/>
    public override void Fill(ReadOnlySpan<float> glance, ReadOnlySpan<int> labels, in StepContext moment, Span<float> targets)
    {
        int k = glance.Length / labels.Length;
        double temperature = Annealed(FirstTemperature, LastTemperature, moment), share = Annealed(FirstShare, LastShare, moment);
        for (int i = 0; i < labels.Length; i++)
            Rectify(glance.Slice(i * k, k), labels[i], temperature, share, targets.Slice(i * k, k));
    }

    private static void Rectify(ReadOnlySpan<float> z, int label, double temperature, double share, Span<float> target)
    {
        double norm = RowMath.LogSumExp(z, 1 / temperature), max = 0, own = Math.Exp(z[label] / temperature - norm);
        foreach (float value in z) max = Math.Max(max, Math.Exp(value / temperature - norm));
        double trust = Math.Clamp(share - (max - own), 0, 1);
        for (int j = 0; j < z.Length; j++)
            target[j] = (float)(trust * Math.Exp(z[j] / temperature - norm) + (j == label ? 1 - trust : 0));
    }

    private static double Annealed(double first, double last, in StepContext m) =>
        last + 0.5 * (first - last) * (1 + Math.Cos(Math.PI * m.Progress));
}

/// <summary>A table of what was predicted before, of which each image gets a row (<see cref="ViewLogits.Remembered"/>).</summary>
public abstract record HistoryRule
{
    internal abstract HistoryTable Table(int classes);
}

/// <summary>
/// A table of each image's averaged predictions (temporal ensembling, TE; methods.md 4.8): S ← decay·S + (1 − decay)·p, p the
/// evaluation-mode softmax at the clean image; the stored target is S over its sum.
/// </summary>
/// <param name="Decay">Share of the old average.</param>
/// <param name="Start">First epoch, counted from 1, that is stored.</param>
public sealed record ImageHistory(float Decay, int Start) : HistoryRule
{
    internal override HistoryTable Table(int classes) => new ImageTable(this, classes);
}

/// <summary>
/// The mean prediction softmax(z(x)/T) for each class in the previous epoch, 1/K in the first (GKL; methods.md 4.13). An image gets w =
/// its class's row to a power, all divided by the root of the batch's mean of (Σ_k w_k)².
/// </summary>
public sealed record ClassHistory(float Temperature, float Power) : HistoryRule
{
    internal override HistoryTable Table(int classes) => new ClassTable(this, classes);
}
