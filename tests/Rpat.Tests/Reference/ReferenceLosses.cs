namespace Rpat.Tests.Reference;

/// <summary>Log-softmax and softmax over the classes of logits (B, K, 1, 1), shifted by the largest logit.</summary>
internal static class ReferenceSoftmax
{
    public static Array4 LogSoftmax(Array4 logits)
    {
        Array4 result = logits.Like();
        for (int n = 0; n < logits.N; n++)
        {
            double[] row = logits.Sample(n).ToArray();
            double max = row.Max(), logSum = max + Math.Log(row.Sum(z => Math.Exp(z - max)));
            for (int k = 0; k < row.Length; k++) result[n, k, 0, 0] = row[k] - logSum;
        }

        return result;
    }

    public static Array4 Softmax(Array4 logits) => LogSoftmax(logits).Map(Math.Exp);
}

/// <summary>Softmax cross-entropy −log p_y (methods.md 0.1, 2.6) against integer labels or probabilities.</summary>
internal static class ReferenceCrossEntropy
{
    public static double[] PerSample(Array4 logits, int[] labels) => PerSample(logits, OneHot(logits, labels));

    /// <summary>−Σ_k t_k log p_k for target probabilities t of the logits' shape.</summary>
    public static double[] PerSample(Array4 logits, Array4 targets) =>
        Rows.Sums(ReferenceSoftmax.LogSoftmax(logits).Zip(targets, (logP, t) => t == 0 ? 0 : -t * logP));

    public static double Mean(Array4 logits, int[] labels) => PerSample(logits, labels).Average();

    public static double Mean(Array4 logits, Array4 targets) => PerSample(logits, targets).Average();

    /// <summary>∂Mean/∂logits = (p − onehot(y)) / B.</summary>
    public static Array4 MeanGradient(Array4 logits, int[] labels) => MeanGradient(logits, OneHot(logits, labels));

    /// <summary>∂Mean/∂logits = (p − t) / B for targets that sum to one.</summary>
    public static Array4 MeanGradient(Array4 logits, Array4 targets) =>
        ReferenceSoftmax.Softmax(logits).Zip(targets, (p, t) => (p - t) / logits.N);

    private static Array4 OneHot(Array4 logits, int[] labels)
    {
        if (labels.Length != logits.N) throw new ArgumentException($"{labels.Length} labels do not fit logits of shape {logits}.");
        Array4 targets = logits.Like();
        for (int n = 0; n < labels.Length; n++) targets[n, labels[n], 0, 0] = 1;
        return targets;
    }
}

/// <summary>KL(softmax(a)‖softmax(b)) per sample, its batch mean, and the gradients to both logits (methods.md 2.6).</summary>
internal static class ReferenceKl
{
    public static double[] PerSample(Array4 a, Array4 b) => Rows.Sums(LogRatio(a, b).Zip(ReferenceSoftmax.Softmax(a), (r, p) => p * r));

    public static double Mean(Array4 a, Array4 b) => PerSample(a, b).Average();

    /// <summary>∂Mean/∂a = p_a ⊙ (log p_a − log p_b − KL) / B.</summary>
    public static Array4 MeanGradientA(Array4 a, Array4 b)
    {
        double[] kl = PerSample(a, b);
        Array4 centred = LogRatio(a, b);
        for (int i = 0; i < a.Length; i++) centred.Data[i] -= kl[i / a.SampleLength];
        return centred.Zip(ReferenceSoftmax.Softmax(a), (r, p) => p * r / a.N);
    }

    /// <summary>∂Mean/∂b = (p_b − p_a) / B.</summary>
    public static Array4 MeanGradientB(Array4 a, Array4 b) =>
        ReferenceSoftmax.Softmax(b).Zip(ReferenceSoftmax.Softmax(a), (q, p) => (q - p) / a.N);

    private static Array4 LogRatio(Array4 a, Array4 b) =>
        ReferenceSoftmax.LogSoftmax(a).Zip(ReferenceSoftmax.LogSoftmax(b), (p, q) => p - q);
}
