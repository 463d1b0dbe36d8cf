using System.Security.Cryptography;

namespace Rpat.Training.Distributed;

/// <summary>How the processes of a run form a group, and which resources of its machine each of them uses.</summary>
internal static class ProcessGroupSetup
{
    /// <summary>The environment variable with the join token that all processes of a run share.</summary>
    public const string TokenVariable = "RPAT_TEAM_SECRET";

    /// <summary>Checks that a batch can be divided evenly.</summary>
    /// <exception cref="ConfigException">It cannot; the message names the nearest sizes that can.</exception>
    public static void RequireDivisible(TrainerConfig config, int size)
    {
        int batch = config.Train.Batch, below = batch / size * size;
        if (below == batch) return;
        string sizes = FormattableString.Invariant($"{(below == 0 ? "" : $"{below} or ")}{below + size}");
        throw new ConfigException(
            $"train.batch is {batch} images, which {size} processes cannot divide evenly: choose {sizes}, or another "
                + $"number of processes.");
    }

    /// <summary>What all processes must have in common: the program, and every key that affects the weights.</summary>
    /// <param name="token">The value of <see cref="TokenVariable"/>, or null.</param>
    public static ProcessGroupOptions Options(ResolvedConfig given, string? token, Action<string> note)
    {
        var keys = ConfigKeys.All.Where(leaf => !ResumeRules.IsFree(leaf.Path))
            .Select(leaf => $"{leaf.Path}={given.Values[leaf.Path].Text}");
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', keys))));
        return new ProcessGroupOptions(MachineInfo.ProgramVersion(), hash) { Token = token ?? "", Note = note };
    }

    /// <summary>A process's share of its machine: cores divided if the number of threads is not given, and its own GPU.</summary>
    public static TrainerConfig Local(TrainerConfig config, ProcessRank place)
    {
        int threads = config.Run.Threads > 0 ? config.Run.Threads : Math.Max(1, Environment.ProcessorCount / place.LocalSize);
        return config with
        {
            Run = config.Run with { Threads = threads, Processes = place.Size },
            Device = config.Device with { Name = Device(config.Device.Name, place.LocalRank) },
        };
    }

    /// <summary>A description of the processes and what each computes, for people.</summary>
    /// <param name="over">The transport.</param>
    public static string Description(ProcessRank place, string over, TrainerConfig config) => FormattableString.Invariant(
        $"{place.Description}, over {over}; each computes {config.Train.Batch / place.Size} of a batch's {config.Train.Batch} images with {config.Run.Threads} thread{(config.Run.Threads == 1 ? "" : "s")}");

    /// <summary>The place of rank 0 among several processes that it starts.</summary>
    public static ProcessRank First(int size) => new("--nproc", 0, size, 0, size, "localhost", 0);

    /// <summary>The GPU of a process: the n-th counted from the named one, wrapping around over those that it can see.</summary>
    /// <param name="name">As in <c>device.name</c>, settled.</param>
    /// <param name="visible">Number of GPUs that this process can see; a launcher may make only its own GPU visible to each
    /// process.</param>
    internal static string Gpu(string name, int localRank, int visible) =>
        name.StartsWith("cuda:", StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && first < visible
            ? FormattableString.Invariant($"cuda:{(first + localRank) % visible}")
            : name;

    /// <summary>A sentence if this machine has fewer GPUs than processes to start; otherwise null.</summary>
    public static string? SharedGpus(string name, int processes) =>
        IsGpu(name) && GpuBackend.Find().Devices.Count is > 0 and int gpus && gpus < processes
            ? $"warning: {processes} processes share {gpus} GPU{(gpus == 1 ? "" : "s")}: each runs slower and has less memory than with "
                + $"a GPU of its own."
            : null;

    private static string Device(string name, int localRank)
    {
        name = DeviceFactory.Settle(name, static _ => { });
        return IsGpu(name) ? Gpu(name, localRank, GpuBackend.Find().Devices.Count) : name;
    }

    private static bool IsGpu(string name) => name.StartsWith("cuda", StringComparison.Ordinal);
}
