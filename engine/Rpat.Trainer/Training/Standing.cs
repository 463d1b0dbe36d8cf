using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Rpat.Engine;
using Rpat.Trainer.Runs;

namespace Rpat.Trainer.Training;

/// <summary>Where a run stands: all that is not in the network's and the method's arrays.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Epoch">The epoch that the next step belongs to, counted from 1.</param>
/// <param name="Planned">Whether the step decided that this is a checkpoint, and not the clock or a signal.</param>
/// <param name="Identity">What must not have changed.</param>
/// <param name="Files">The lengths of the run's growing files.</param>
/// <param name="Sums">The statistics of the epoch so far.</param>
/// <param name="Guard">What the divergence guard remembers.</param>
/// <param name="Monitor">What validation has found.</param>
internal sealed record Standing(
    int Step,
    int Epoch,
    bool Planned,
    RunIdentity Identity,
    IReadOnlyDictionary<string, long> Files,
    EpochSums Sums,
    GuardState Guard,
    MonitorState Monitor);

/// <summary>What a run's numbers depend on beside its configuration.</summary>
/// <param name="Data">A hash of the training images and labels.</param>
/// <param name="Program">The program's version.</param>
/// <param name="Kernels">What computes: the device and the width of its vectors.</param>
internal sealed record RunIdentity(string Data, string Program, string Kernels)
{
    /// <summary>Describes a run on this machine.</summary>
    public static RunIdentity Of(LabeledImages images, Device device)
    {
        var machine = MachineInfo.Here();
        return new RunIdentity(Hash(images), machine.Version, FormattableString.Invariant($"{device.Name}, {machine.VectorBits}-bit vectors"));
    }

    /// <summary>Checks that an earlier part of the run had the same data, and notes what else has changed.</summary>
    /// <exception cref="DataException">The images are not those that the run began with.</exception>
    public void RequireSameRun(RunIdentity earlier, Action<string> note)
    {
        if (Data != earlier.Data)
            throw new DataException("the training images are not those that the run began with: give their folder with --data-dir, or start a new run.");
        if (Program != earlier.Program) note($"note: the run started with version {earlier.Program} and is resumed with {Program}: rounding may differ.");
        if (Kernels != earlier.Kernels) note($"note: the run started on {earlier.Kernels} and is resumed on {Kernels}: rounding may differ.");
    }

    private static string Hash(LabeledImages images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([images.Channels, images.Height, images.Width, images.ClassNames.Count]));
        hash.AppendData(MemoryMarshal.AsBytes<int>(images.Labels));
        hash.AppendData(images.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
