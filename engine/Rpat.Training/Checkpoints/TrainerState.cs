using System.Security.Cryptography;

namespace Rpat.Training.Checkpoints;

/// <summary>The progress of a run: everything that is not in the network's and the method's arrays.</summary>
/// <param name="Epoch">The epoch that the next step belongs to, counted from 1.</param>
/// <param name="Planned">Whether this checkpoint was due by its step, as opposed to the clock or a signal.</param>
/// <param name="Identity">What must not have changed.</param>
/// <param name="IsEpochTrained">Whether only the epoch's validation is missing; false in older checkpoints.</param>
internal sealed record TrainerState(
    int Step,
    int Epoch,
    bool Planned,
    RunIdentity Identity,
    IReadOnlyDictionary<string, long> Files,
    EpochSums Sums,
    GuardState Guard,
    MonitorState Monitor,
    bool IsEpochTrained = false);

/// <summary>What a run's numbers depend on in addition to its configuration.</summary>
/// <param name="Kernels">What computes: the device and the width of its vectors.</param>
/// <param name="More">Digest of the images of <c>data.aux</c>; null without them, and in older checkpoints.</param>
/// <param name="Teachers">Digest of the method's frozen networks; null without any, and in older checkpoints.</param>
internal sealed record RunIdentity(string Data, string Program, string Kernels, string? More = null, string? Teachers = null)
{
    /// <summary>Describes a run on this machine.</summary>
    public static RunIdentity Of(LabeledImages images, MappedImages? more, string? teachers, Device device)
    {
        var machine = MachineInfo.Here();
        return new RunIdentity(Hash(images), machine.Version,
            FormattableString.Invariant($"{device.Name}, {machine.VectorBits}-bit vectors"), more?.Digest(),
            teachers);
    }

    /// <summary>Checks that an earlier part of the run had the same data, and notes what else has changed.</summary>
    /// <exception cref="DataException">Images or teachers are not those that the run started with.</exception>
    public void RequireSameRun(RunIdentity earlier, Action<string> note)
    {
        if (Difference(earlier) is { } other)
            throw new DataException($"the {other} are not those that the run began with: "
                + (Data == earlier.Data ? "give the same ones, or start a new run." : "give the same images, or start a new run."));
        if (Program != earlier.Program)
            note($"note: the run started with version {earlier.Program} and is resumed with {Program}: rounding may differ.");
        if (Kernels != earlier.Kernels)
            note($"note: the run started on {earlier.Kernels} and is resumed on {Kernels}: rounding may differ.");
    }

    /// <summary>What another run or rank reads otherwise, in the plural; null if nothing.</summary>
    public string? Difference(RunIdentity other) => Data != other.Data ? "training images"
        : IsOther(More, other.More) ? "images of data.aux" : IsOther(Teachers, other.Teachers) ? "networks of method.teachers" : null;

    // Older checkpoints lack them.
    private static bool IsOther(string? one, string? other) => one is not null && other is not null && one != other;

    private static string Hash(LabeledImages images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([images.Channels, images.Height, images.Width, images.ClassNames.Count]));
        hash.AppendData(MemoryMarshal.AsBytes<int>(images.Labels));
        hash.AppendData(images.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}

/// <summary>Sums over the images of an epoch so far.</summary>
/// <param name="Accuracies">Correct predictions by kind of image; missing in older checkpoints.</param>
internal sealed record EpochSums(double Loss, IReadOnlyList<Metric> Parts, double Correct, int Images,
    IReadOnlyList<Metric>? Accuracies = null)
{
    /// <summary>The sums of an epoch that has not begun.</summary>
    public static EpochSums None { get; } = new(0, [], 0, 0);
}

/// <summary>The guard's state from step to step; part of every checkpoint.</summary>
/// <param name="OnlyClass">The class predicted for every image of the last batches, or −1.</param>
/// <param name="LastRollback">The step that it was last rolled back to, or −1.</param>
/// <param name="RateFactor">The factor on the schedule's learning rate since then.</param>
internal sealed record GuardState(
    int Steps, double Smoothed, double Lowest, int OnlyClass, int OnlyClassSteps, int Rollbacks, int LastRollback, double RateFactor)
{
    /// <summary>The state of a run that has not begun.</summary>
    public static GuardState New { get; } = new(0, 0, double.MaxValue, -1, 0, 0, -1, 1);
}

/// <summary>The results of validation; part of every checkpoint.</summary>
/// <param name="BestEpoch">The epoch whose network was the most robust; 0 before the first measurement.</param>
/// <param name="TrainAtBest">The training accuracy in that epoch.</param>
/// <param name="Falling">For how many measurements in a row validation has fallen while training rose.</param>
/// <param name="Collapsed">Whether robustness is gone since the best epoch; missing in older checkpoints.</param>
internal sealed record MonitorState(int BestEpoch, double Best, double TrainAtBest, int Falling, bool Collapsed = false)
{
    private const double Much = 0.5, Noise = 0.02;

    /// <summary>
    /// Whether robust accuracy has suddenly collapsed although accuracy under the training attack has not: catastrophic overfitting (Wong,
    /// Rice, Kolter, 2020), in which a network learns to fool a weak attack.
    /// </summary>
    /// <param name="classes">Number of classes; a network that guesses has nothing to lose.</param>
    public bool IsCollapse(double robust, double train, int classes) =>
        Best > 1.5 / classes && robust < Much * Best && train >= TrainAtBest - Noise;

    /// <summary>The state of a run that has not been measured.</summary>
    public static MonitorState New { get; } = new(0, -1, 0, 0);
}
