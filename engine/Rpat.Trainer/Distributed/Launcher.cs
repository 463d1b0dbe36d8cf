using System.Globalization;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Distributed;

/// <summary>
/// Who started this process among others, as the environment tells; the first that matches wins: variables as of torchrun, Slurm, Open MPI,
/// MPICH or Intel MPI. All of them meet over TCP: no MPI library is loaded.
/// </summary>
internal static class Launcher
{
    /// <summary>The port where nothing else is said, as torchrun's.</summary>
    public const int DefaultPort = 29500;

    private const int SlurmPorts = 15_000;

    /// <summary>Finds this process's place.</summary>
    /// <param name="environment">Environment variables.</param>
    /// <returns>Null for a process that is alone.</returns>
    /// <exception cref="UsageException">A launcher is recognised, but its variables do not say enough.</exception>
    public static Place? Find(IReadOnlyDictionary<string, string> environment)
    {
        var place = Torchrun(environment) ?? Slurm(environment) ?? OpenMpi(environment) ?? Pmi(environment);
        if (place is null) return null;
        if (place.Size < 1 || place.Rank < 0 || place.Rank >= place.Size)
            throw new UsageException($"{place.Launcher} says that this is rank {place.Rank} of {place.Size} processes: ranks go from 0 to one less than their number.");
        return place.Size == 1 ? null : place;
    }

    /// <summary>A sentence where a Slurm job of several tasks runs this program only once; null elsewhere.</summary>
    /// <param name="environment">Environment variables.</param>
    /// <param name="hasSrun">Whether there is an <c>srun</c> on the path.</param>
    public static string? Warning(IReadOnlyDictionary<string, string> environment, bool hasSrun)
    {
        bool forgotten = hasSrun && Number(environment, "SLURM_NTASKS") > 1 && !IsInteractive(environment) && !IsStep(environment)
            && Torchrun(environment) is null;
        return forgotten
            ? $"warning: this Slurm job has {Text(environment, "SLURM_NTASKS")} tasks, but rpat was not started by srun and trains in one process: write 'srun rpat train ...'."
            : null;
    }

    /// <summary>The first host of a Slurm node list: <c>n3</c> of <c>n[3-5,9]</c>.</summary>
    public static string FirstHost(string nodes)
    {
        int comma = nodes.IndexOf(','), bracket = nodes.IndexOf('[');
        if (bracket < 0 || comma >= 0 && comma < bracket) return comma < 0 ? nodes : nodes[..comma];
        int close = nodes.IndexOf(']', bracket);
        if (close < 0) return nodes[..bracket];
        string first = nodes[(bracket + 1)..close].Split(',', '-')[0];
        string rest = nodes[(close + 1)..];
        // What stands behind the bracket, up to the next host, belongs to the name.
        return FirstHost(nodes[..bracket] + first + rest);
    }

    /// <summary>The port of a Slurm job: 15000 and the last four digits of its number, so that jobs of one machine differ.</summary>
    public static int SlurmPort(string job)
    {
        string digits = job[^Math.Min(4, job.Length)..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int last) ? SlurmPorts + last : DefaultPort;
    }

    private static Place? Torchrun(IReadOnlyDictionary<string, string> e)
    {
        if (Number(e, "RANK") is not { } rank || Number(e, "WORLD_SIZE") is not { } size) return null;
        string? host = Text(e, "MASTER_ADDR");
        if (host is null && size > 1) throw NoMeetingPoint("RANK and WORLD_SIZE are set, as by torchrun");
        int localSize = Number(e, "LOCAL_WORLD_SIZE") ?? (host is "localhost" or "127.0.0.1" ? size : 1);
        return new("torchrun (RANK, WORLD_SIZE)", rank, size, Number(e, "LOCAL_RANK") ?? (localSize == size ? rank : 0), localSize, host ?? "localhost", Port(e));
    }

    private static Place? Slurm(IReadOnlyDictionary<string, string> e)
    {
        if (IsInteractive(e) || !IsStep(e)) return null;
        if (Number(e, "SLURM_PROCID") is not { } rank || Number(e, "SLURM_NTASKS") is not { } size) return null;
        string? nodes = Text(e, "SLURM_NODELIST") ?? Text(e, "SLURM_JOB_NODELIST"), host = Text(e, "MASTER_ADDR") ?? (nodes is null ? null : FirstHost(nodes));
        if (host is null && size > 1) throw NoMeetingPoint("this is a Slurm task without SLURM_NODELIST");
        int port = Text(e, "MASTER_PORT") is not null ? Port(e) : SlurmPort(Text(e, "SLURM_JOB_ID") ?? "");
        int localSize = FirstNumber(Text(e, "SLURM_STEP_TASKS_PER_NODE") ?? Text(e, "SLURM_TASKS_PER_NODE")) ?? 1;
        return new("Slurm (SLURM_PROCID)", rank, size, Number(e, "SLURM_LOCALID") ?? 0, Math.Min(localSize, size), host ?? "localhost", port);
    }

    private static Place? OpenMpi(IReadOnlyDictionary<string, string> e) =>
        Mpi(e, "Open MPI (OMPI_COMM_WORLD_RANK)", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE");

    private static Place? Pmi(IReadOnlyDictionary<string, string> e) =>
        Mpi(e, "MPICH or Intel MPI (PMI_RANK)", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS");

    private static Place? Mpi(IReadOnlyDictionary<string, string> e, string launcher, string rankName, string sizeName, string localRankName, string localSizeName)
    {
        if (Number(e, rankName) is not { } rank || Number(e, sizeName) is not { } size) return null;
        int? localSize = Number(e, localSizeName);
        string? host = Text(e, "MASTER_ADDR") ?? (localSize == size ? "localhost" : null);
        if (host is null && size > 1) throw NoMeetingPoint($"{launcher} has started {size} processes on several machines, as far as can be told");
        return new(launcher, rank, size, Number(e, localRankName) ?? 0, localSize ?? 1, host ?? "localhost", Port(e));
    }

    private static UsageException NoMeetingPoint(string what) =>
        new($"{what}, but nothing says where rank 0 can be reached: set MASTER_ADDR to the name of its machine for all processes (and MASTER_PORT, if not {DefaultPort}).");

    private static int Port(IReadOnlyDictionary<string, string> e)
    {
        int port = Text(e, "MASTER_PORT") is null ? DefaultPort : Number(e, "MASTER_PORT") ?? -1;
        return port is > 0 and < 65536 ? port : throw new UsageException($"MASTER_PORT is '{Text(e, "MASTER_PORT")}': give a port from 1 to 65535.");
    }

    // A shell that a person sits in front of has the variables of a job but starts one process at a time.
    private static bool IsInteractive(IReadOnlyDictionary<string, string> e) => Text(e, "SLURM_JOB_NAME") is "bash" or "interactive";

    // A job's script has its variables as well; only what srun started has a step of its own.
    private static bool IsStep(IReadOnlyDictionary<string, string> e) => Text(e, "SLURM_STEP_ID") is not null || Text(e, "SLURM_STEPID") is not null;

    private static int? FirstNumber(string? counts)
    {
        string digits = string.Concat((counts ?? "").TakeWhile(char.IsAsciiDigit)); // 4 of 4(x2),3
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
    }

    private static int? Number(IReadOnlyDictionary<string, string> e, string name) =>
        int.TryParse(Text(e, name), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static string? Text(IReadOnlyDictionary<string, string> e, string name) => e.GetValueOrDefault(name) is { Length: > 0 } text ? text : null;
}
