namespace Rpat.Tests.Reference;

/// <summary>Per-channel statistics of a batch: the mean, and the biased variance (divided by N·H·W).</summary>
internal sealed record ChannelStatistics(double[] Mean, double[] Variance);

/// <summary>Gradients of a batch normalisation: x is (N, C, H, W), gamma and beta have C values.</summary>
internal sealed record BatchNormGradient(Array4 X, double[] Gamma, double[] Beta);

/// <summary>Batch normalisation (methods.md 0.3): ε 1e-5 on the biased variance, running statistics with momentum 0.1.</summary>
internal static class ReferenceBatchNorm2d
{
    public const double Epsilon = 1e-5;

    public const double Momentum = 0.1;

    /// <summary>Mean and biased variance of every channel over samples and pixels, in two passes.</summary>
    public static ChannelStatistics Statistics(Array4 x)
    {
        double[] mean = ChannelSums(x, (_, value) => value / Count(x));
        double[] variance = ChannelSums(x, (c, value) => (value - mean[c]) * (value - mean[c]) / Count(x));
        return new ChannelStatistics(mean, variance);
    }

    /// <summary>γ·(x − mean)/√(variance + ε) + β: train mode with the batch's statistics, eval mode with the running ones.</summary>
    public static Array4 Forward(Array4 x, double[] gamma, double[] beta, ChannelStatistics statistics) =>
        MapChannels(x, (c, value) => gamma[c] * (value - statistics.Mean[c]) * InverseDeviation(statistics, c) + beta[c]);

    public static Array4 ForwardTrain(Array4 x, double[] gamma, double[] beta) => Forward(x, gamma, beta, Statistics(x));

    /// <summary>Moves the running statistics in place; the variance stored is the unbiased one, so N·H·W must exceed 1.</summary>
    public static void UpdateRunning(ChannelStatistics running, Array4 x)
    {
        int count = Count(x);
        if (count < 2) throw new ArgumentException($"The unbiased variance of a batch of shape {x} is undefined.");
        ChannelStatistics batch = Statistics(x);
        for (int c = 0; c < x.C; c++)
        {
            running.Mean[c] = (1 - Momentum) * running.Mean[c] + Momentum * batch.Mean[c];
            running.Variance[c] = (1 - Momentum) * running.Variance[c] + Momentum * batch.Variance[c] * count / (count - 1);
        }
    }

    /// <summary>
    /// Train mode, where the statistics depend on x. With x̂ the normalised input and m = N·H·W,
    /// ∂L/∂x = γ/σ · (dy − Σdy/m − x̂·Σ(dy·x̂)/m), sums over the channel.
    /// </summary>
    public static BatchNormGradient BackwardTrain(Array4 x, double[] gamma, Array4 dy)
    {
        ChannelStatistics statistics = Statistics(x);
        BatchNormGradient direct = BackwardEval(x, gamma, statistics, dy);
        Array4 normalised = Normalised(x, statistics);
        int count = Count(x);
        Array4 correction = MapChannels(normalised, (c, value) =>
            gamma[c] * InverseDeviation(statistics, c) * (direct.Beta[c] + value * direct.Gamma[c]) / count);
        return direct with { X = direct.X.Zip(correction, (a, b) => a - b) };
    }

    /// <summary>Eval mode, where the statistics are constants: ∂L/∂x = γ/σ · dy, ∂L/∂γ = Σ dy·x̂, ∂L/∂β = Σ dy.</summary>
    public static BatchNormGradient BackwardEval(Array4 x, double[] gamma, ChannelStatistics statistics, Array4 dy)
    {
        Array4 dx = MapChannels(dy, (c, value) => value * gamma[c] * InverseDeviation(statistics, c));
        double[] dgamma = ChannelSums(dy.Zip(Normalised(x, statistics), (a, b) => a * b), (_, value) => value);
        return new BatchNormGradient(dx, dgamma, ChannelSums(dy, (_, value) => value));
    }

    private static int Count(Array4 x) => x.N * x.H * x.W;

    private static double InverseDeviation(ChannelStatistics statistics, int c) => 1 / Math.Sqrt(statistics.Variance[c] + Epsilon);

    private static Array4 Normalised(Array4 x, ChannelStatistics statistics) =>
        MapChannels(x, (c, value) => (value - statistics.Mean[c]) * InverseDeviation(statistics, c));

    private static Array4 MapChannels(Array4 x, Func<int, double, double> f)
    {
        Array4 y = x.Like();
        for (int i = 0; i < x.Length; i++) y.Data[i] = f(Channel(x, i), x.Data[i]);
        return y;
    }

    private static double[] ChannelSums(Array4 x, Func<int, double, double> f)
    {
        double[] sums = new double[x.C];
        for (int i = 0; i < x.Length; i++) sums[Channel(x, i)] += f(Channel(x, i), x.Data[i]);
        return sums;
    }

    private static int Channel(Array4 x, int index) => index / (x.H * x.W) % x.C;
}
