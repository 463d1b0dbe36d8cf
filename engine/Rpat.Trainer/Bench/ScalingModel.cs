namespace Rpat.Trainer.Bench;

/// <summary>
/// A model on paper of data-parallel training: what a step takes on n GPUs, from the time of its computation on one, the bytes and the
/// messages of its collectives, and a network's speed and latency. Nothing of it is measured on a network.
/// </summary>
/// <param name="Parameters">Trained values; four bytes each.</param>
/// <param name="Norms">Batch norms per step, over all training-mode passes; the computation waits for what each exchanges.</param>
/// <param name="ComputeSeconds">Computation of a step on one GPU with its part of the batch.</param>
/// <param name="BackwardShare">The share of that in the last backward pass, behind which gradients travel.</param>
/// <param name="BytesPerSecond">Speed of each GPU's link.</param>
/// <param name="LatencySeconds">From sending a small message to receiving it.</param>
/// <param name="MessageSeconds">From one message to the next of the same sender.</param>
internal sealed record ScalingModel(long Parameters, int Norms, double ComputeSeconds, double BackwardShare, double BytesPerSecond,
    double LatencySeconds, double MessageSeconds)
{
    // Forward a header and a gather, backward a header and a gather of sums.
    private const int CollectivesPerNorm = 4;

    private const double BucketBytes = 4 << 20;

    /// <summary>Bytes that each GPU sends per step: slices to all others, then its own sum to all others.</summary>
    public double BytesPerStep(int gpus) => 2.0 * (gpus - 1) / gpus * sizeof(float) * Parameters;

    /// <summary>Seconds of a step.</summary>
    public double StepSeconds(int gpus)
    {
        double traffic = TrafficSeconds(gpus), hidden = Math.Min(traffic - TailSeconds(gpus), BackwardShare * ComputeSeconds);
        return ComputeSeconds + WaitSeconds(gpus) + traffic - Math.Max(0, hidden);
    }

    /// <summary>The speed on n GPUs divided by n times that on one.</summary>
    public double Efficiency(int gpus) => ComputeSeconds / StepSeconds(gpus);

    /// <summary>Seconds in which the computation waits for batch norms, whose messages go along a tree.</summary>
    public double WaitSeconds(int gpus) => Norms * CollectivesPerNorm * Math.Ceiling(Math.Log2(gpus)) * LatencySeconds;

    /// <summary>Seconds of the gradients' traffic: the bytes, and for each bucket two rounds of messages to all others.</summary>
    public double TrafficSeconds(int gpus) => BytesPerStep(gpus) / BytesPerSecond
        + Math.Ceiling(sizeof(float) * Parameters / BucketBytes) * 2 * (LatencySeconds + (gpus - 1) * MessageSeconds);

    // The last bucket is ready only when the backward pass has ended.
    private double TailSeconds(int gpus) => TrafficSeconds(gpus) * Math.Min(1, BucketBytes / (sizeof(float) * Parameters));
}
