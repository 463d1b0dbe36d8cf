namespace Rpat.Training.Distributed;

/// <summary>
/// The launcher that started this process together with others, detected from the environment; the first match wins: variables of torchrun,
/// Open MPI, MPICH or Intel MPI, Slurm.
/// </summary>
internal static class Launcher
{
    /// <summary>The default port, the same as torchrun's.</summary>
    public const int DefaultPort = 29500;

    private const int SlurmPorts = 15_000;

    // Slurm numbers the steps of srun from 0, and those that it makes itself (interactive, batch, external) downwards from the largest
    // number.
    private const uint FirstOwnStep = 0xFFFF_FFF0;

    /// <summary>Finds this process's place.</summary>
    /// <returns>Null for a process that is alone.</returns>
    /// <exception cref="UsageException">A launcher is recognised, but its variables are incomplete or contradict each other.</exception>
    public static ProcessRank? Find(IReadOnlyDictionary<string, string> environment, bool isTerminal = false)
    {
        var e = new LauncherVariables(environment);
        // An MPI launcher may itself have been started by srun on other machines. Slurm also sets some of MPICH's variables.
        var place = Torchrun(e) ?? OpenMpi(e) ?? (e.Text("MPI_LOCALRANKID") is null ? null : Pmi(e)) ?? Slurm(e, isTerminal)
            ?? (IsStep(e) && IsInteractive(e, isTerminal) ? null : Pmi(e));
        if (place is null && e.Missing is { } missing) throw new UsageException(missing);
        return place is { Size: > 1 } ? place : null;
    }

    /// <summary>A sentence if a Slurm job or step of several tasks runs this program only once; otherwise null.</summary>
    /// <param name="hasSrun">Whether there is an <c>srun</c> on the path.</param>
    public static string? Warning(IReadOnlyDictionary<string, string> environment, bool hasSrun, bool isTerminal = false)
    {
        var e = new LauncherVariables(environment);
        if (IsStep(e) && IsInteractive(e, isTerminal) && e.Number("SLURM_STEP_NUM_TASKS") > 1 && Torchrun(e) is null)
            return $"warning: this interactive Slurm step has {e.Text("SLURM_STEP_NUM_TASKS")} tasks, and rpat trains in one process: "
                + $"write 'srun rpat train ...' for all.";
        if (!hasSrun || IsPersons(e) || IsStep(e) || e.Number("SLURM_NTASKS") is not > 1 || Torchrun(e) is not null) return null;
        return $"warning: this Slurm job has {e.Text("SLURM_NTASKS")} tasks, but rpat was not started by srun and trains in one "
            + $"process: write 'srun rpat train ...'.";
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
        // The text after the bracket, up to the next host, belongs to the name.
        return FirstHost(nodes[..bracket] + first + rest);
    }

    /// <summary>The port of a Slurm job: 15000 and the last four digits of its number, so that jobs on one machine differ.</summary>
    public static int SlurmPort(string job)
    {
        string digits = job[^Math.Min(4, job.Length)..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int last) ? SlurmPorts + last : DefaultPort;
    }

    private static ProcessRank? Torchrun(LauncherVariables e)
    {
        const string launcher = "torchrun (RANK, WORLD_SIZE)";
        if (e.Pair(launcher, "RANK", "WORLD_SIZE") is not var (rank, size)) return null;
        string? host = e.Host();
        int localSize = LocalSize(e, "LOCAL_RANK", "LOCAL_WORLD_SIZE", ("WORLD_SIZE", size))
            ?? (host is not null && MeetingAddress.IsLoopback(host) ? size : 1);
        int localRank = e.Number("LOCAL_RANK") ?? (localSize == size ? rank : 0);
        // Its agent may itself listen at the port that it tells.
        bool isTaken = bool.TryParse(e.Text("TORCHELASTIC_USE_AGENT_STORE"), out bool agent) && agent;
        return new(launcher, rank, size, localRank, localSize, host, (e.Port() ?? DefaultPort) + (isTaken ? 1 : 0));
    }

    // A step's variables take precedence over its job's.
    private static ProcessRank? Slurm(LauncherVariables e, bool isTerminal)
    {
        if (!IsStep(e) || IsInteractive(e, isTerminal)) return null;
        string sizeName = new[] { "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS" }.FirstOrDefault(name => e.Text(name) is not null)
            ?? "SLURM_NPROCS";
        const string launcher = "Slurm (SLURM_PROCID)";
        if (e.Pair(launcher, "SLURM_PROCID", sizeName) is not var (rank, size)) return null;
        string? nodes = e.Text("SLURM_STEP_NODELIST") ?? e.Text("SLURM_NODELIST") ?? e.Text("SLURM_JOB_NODELIST");
        string? host = e.Host() ?? (nodes is null ? null : FirstHost(nodes));
        int localRank = e.Number("SLURM_LOCALID") ?? 0, localSize = SlurmLocalSize(e, localRank);
        LauncherVariables.RequireBelow("SLURM_LOCALID", localRank, sizeName, size);
        var place = new ProcessRank(launcher, rank, size, localRank, Math.Min(localSize, size), host,
            e.Port() ?? SlurmPort(e.Digits("SLURM_JOB_ID") ?? ""));
        // As 'srun --mpi=pmix' or '--mpi=pmi2' sets them; a site may do so for all steps, of which those of one machine need no MPI.
        MpiFamily? family = e.Text("PMIX_NAMESPACE") is not null ? MpiFamily.OpenMpi
            : e.Text("PMI_FD") is not null ? MpiFamily.Mpich : null;
        return place with { Mpi = family, PrefersMpi = family is not null && !place.IsLocal };
    }

    // The job's list may name more or fewer tasks than the step has here.
    private static int SlurmLocalSize(LauncherVariables e, int localRank)
    {
        if (e.TasksHere("SLURM_STEP_TASKS_PER_NODE") is not { } own)
            return Math.Max(localRank + 1, e.TasksHere("SLURM_TASKS_PER_NODE") ?? 1);
        LauncherVariables.RequireBelow("SLURM_LOCALID", localRank, "SLURM_STEP_TASKS_PER_NODE", own);
        return own;
    }

    private static ProcessRank? OpenMpi(LauncherVariables e) =>
        Mpi(e, MpiFamily.OpenMpi, "Open MPI (OMPI_COMM_WORLD_RANK)", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
            "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE");

    private static ProcessRank? Pmi(LauncherVariables e) =>
        Mpi(e, MpiFamily.Mpich, "MPICH or Intel MPI (PMI_RANK)", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS");

    private static ProcessRank? Mpi(LauncherVariables e, MpiFamily family, string launcher, string rankName, string sizeName,
        string localRankName, string localSizeName)
    {
        if (e.Pair(launcher, rankName, sizeName) is not var (rank, size)) return null;
        int? localSize = LocalSize(e, localRankName, localSizeName, (sizeName, size));
        string? host = e.Host() ?? (localSize == size ? "localhost" : null);
        return new(launcher, rank, size, e.Number(localRankName) ?? 0, localSize ?? 1, host, e.Port() ?? DefaultPort)
        { Mpi = family, PrefersMpi = true };
    }

    // Some launchers give a local rank without a local size.
    private static int? LocalSize(LauncherVariables e, string rankName, string sizeName, (string Name, int Size) all)
    {
        int? localSize = e.Number(sizeName);
        LauncherVariables.RequireBelow(rankName, e.Number(rankName) ?? 0, localSize is null ? all.Name : sizeName, localSize ?? all.Size);
        return localSize is null || localSize <= all.Size
            ? localSize
            : throw new UsageException(
            $"{sizeName} is {localSize} and {all.Name} is {all.Size}: a machine has no more processes than there are.");
    }

    // A person's shell has the variables of its job or step, but starts one process at a time. A step inside one has its own counts, and
    // not the person's terminal.
    private static bool IsInteractive(LauncherVariables e, bool isTerminal)
    {
        bool counts = e.Text("SLURM_STEP_NUM_TASKS") is not null;
        return e.Text("SLURM_PTY_PORT") is not null && (isTerminal || !counts) || IsPersons(e) && !counts;
    }

    private static bool IsPersons(LauncherVariables e) => e.Text("SLURM_JOB_NAME") is "bash" or "interactive";

    // A job's script has its variables as well; only processes that srun started have their own step.
    private static bool IsStep(LauncherVariables e) =>
        (e.Text("SLURM_STEP_ID") ?? e.Text("SLURM_STEPID")) is { } id
        && !(uint.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out uint step) && step >= FirstOwnStep);
}

/// <summary>The number of processes of a run: the number that a launcher has started, otherwise <c>run.processes</c>.</summary>
internal static class Processes
{
    /// <summary>Determines the number in a plan.</summary>
    /// <param name="launched">This process's place if a launcher has started several; otherwise null.</param>
    /// <exception cref="UserException">The launcher and <c>--nproc</c> contradict each other, or the batch cannot be divided.</exception>
    public static RunPlan Plan(RunPlan plan, ProcessRank? launched)
    {
        var (config, entry) = (plan.Resolved.Config, plan.Resolved.Values[ConfigKeys.Of(c => c.Run.Processes).Path]);
        int size = launched?.Size ?? config.Run.Processes;
        if (size != config.Run.Processes && entry.Origin == "--nproc")
            throw new UsageException(
                $"--nproc {entry.Text} contradicts the {size} processes that {launched!.Launcher} has started: leave --nproc out.");
        ProcessGroupSetup.RequireDivisible(config, size);
        if (size == config.Run.Processes) return plan;
        return plan with
        {
            Resolved = plan.Resolved.With(ConfigKeys.Of(c => c.Run.Processes), FormattableString.Invariant($"{size}"),
                launched!.Launcher),
            OwnProcesses = entry,
        };
    }

    /// <summary>Whether Slurm's <c>srun</c> is on the path.</summary>
    public static bool HasSrun(IReadOnlyDictionary<string, string> environment) =>
        (environment.GetValueOrDefault("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, "srun")));
}
