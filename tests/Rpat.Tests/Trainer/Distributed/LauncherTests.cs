using Rpat.Trainer.Distributed;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>Who started the process, from the environment alone.</summary>
public sealed class LauncherTests
{
    [Fact]
    public void Alone() => Assert.Null(Launcher.Find(Environment("PATH=/bin")));

    [Fact]
    public void Torchrun()
    {
        var place = Launcher.Find(Environment("RANK=5 WORLD_SIZE=8 LOCAL_RANK=1 LOCAL_WORLD_SIZE=4 MASTER_ADDR=node7 MASTER_PORT=1234"))!;
        Assert.Equal(("torchrun (RANK, WORLD_SIZE)", 5, 8, 1, 4, "node7", 1234), Parts(place));
        Assert.False(place.IsLocal);
        Assert.Equal("8 processes started by torchrun (RANK, WORLD_SIZE), rank 5 (number 1 of this machine's 4)",
            place.Description);
    }

    [Fact]
    public void Torchruns_port_has_a_default() =>
        Assert.Equal(29500, Launcher.Find(Environment("RANK=0 WORLD_SIZE=2 MASTER_ADDR=localhost"))!.Port);

    [Theory]
    [InlineData("True", 1235)]
    [InlineData("False", 1234)]
    public void Torchruns_agent_may_have_the_port_itself(string isTaken, int port) => Assert.Equal(port, Launcher.Find(Environment(
        $"RANK=0 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=1234 TORCHELASTIC_USE_AGENT_STORE={isTaken}"))!.Port);

    /// <summary>A run that a launcher started in many processes is resumed by hand in one.</summary>
    [Fact]
    public void A_launchers_number_is_not_stored_with_the_run()
    {
        var sources = new ConfigSources([], new Dictionary<string, string>(), ["recipe=fashion-quick"], []);
        var place = Launcher.Find(Environment("RANK=0 WORLD_SIZE=2 MASTER_ADDR=localhost"))!;
        var plan = Processes.Plan(new RunPlan(ConfigResolver.Resolve(sources)), place);
        Assert.Equal((2, 1), (plan.Resolved.Config.Run.Processes, plan.Stored.Config.Run.Processes));
        var given = Processes.Plan(new RunPlan(ConfigResolver.Resolve(sources with { Sets = [.. sources.Sets, "run.processes=2"] })), null);
        Assert.Equal((2, 2), (given.Resolved.Config.Run.Processes, given.Stored.Config.Run.Processes));
    }

    [Fact]
    public void One_process_is_alone_whoever_started_it() =>
        Assert.Null(Launcher.Find(Environment("RANK=0 WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2")));

    [Fact]
    public void Slurm()
    {
        var place = Launcher.Find(Environment(
            "SLURM_STEP_ID=0 SLURM_PROCID=3 SLURM_NTASKS=6 SLURM_LOCALID=1 SLURM_NODELIST=n[3-5,9] SLURM_JOB_ID=4711042 "
                + "SLURM_TASKS_PER_NODE=2(x3)"))!;
        Assert.Equal(("Slurm (SLURM_PROCID)", 3, 6, 1, 2, "n3", 16042), Parts(place));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("interactive")]
    public void A_persons_own_shell_is_no_launcher(string job) =>
        Assert.Null(Launcher.Find(Environment($"SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_NODELIST=a SLURM_JOB_NAME={job}")));

    [Fact]
    public void A_jobs_script_without_srun_trains_in_one_process_and_is_warned_of()
    {
        var job = Environment("SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_NODELIST=a SLURM_JOB_ID=1 SLURM_JOB_NAME=robust");
        Assert.Null(Launcher.Find(job));
        Assert.Contains("has 4 tasks, but rpat was not started by srun", Launcher.Warning(job, hasSrun: true), StringComparison.Ordinal);
        Assert.Null(Launcher.Warning(job, hasSrun: false));
        job["SLURM_STEP_ID"] = "0";
        Assert.Null(Launcher.Warning(job, hasSrun: true));
    }

    [Theory]
    [InlineData("SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=1 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NODELIST=n[1-2] SLURM_PTY_PORT=40001")]
    [InlineData("SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=1 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NODELIST=n[1-2]")]
    [InlineData("SLURM_NTASKS=4 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NODELIST=n[1-2] SLURM_PTY_PORT=40001")]
    [InlineData("SLURM_NTASKS=4 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NODELIST=n[1-2] SLURM_PTY_PORT=40001 PMI_RANK=0 PMI_SIZE=4")]
    [InlineData("SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 SLURM_STEP_ID=4294967290 SLURM_PROCID=0 SLURM_NODELIST=n[1-2]")]
    public void An_interactive_step_of_a_job_of_four_tasks_is_alone(string variables) => Assert.Null(Launcher.Find(Environment(variables)));

    [Fact]
    public void A_persons_terminal_in_a_step_of_four_tasks_is_alone_and_warned_of()
    {
        var shell =
            Environment("SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NODELIST=a SLURM_PTY_PORT=40001");
        Assert.Null(Launcher.Find(shell, isTerminal: true));
        Assert.Contains("this interactive Slurm step has 4 tasks", Launcher.Warning(shell, hasSrun: false, isTerminal: true),
            StringComparison.Ordinal);
        Assert.Equal(4, Launcher.Find(shell)!.Size); // a step inside of it has its variables, but not its terminal
    }

    [Fact]
    public void The_steps_own_counts_hosts_and_job_go_before_the_jobs()
    {
        var place = Launcher.Find(Environment(
            "SLURM_JOB_NAME=interactive SLURM_NTASKS=8 SLURM_STEP_NUM_TASKS=3 SLURM_STEP_ID=2 SLURM_PROCID=2 SLURM_LOCALID=0 "
                + "SLURM_NODEID=1 SLURM_JOB_ID=7 "
            + "SLURM_NODELIST=n[1-4] SLURM_STEP_NODELIST=n[2-3] SLURM_TASKS_PER_NODE=2(x4) SLURM_STEP_TASKS_PER_NODE=2,1"))!;
        Assert.Equal(("Slurm (SLURM_PROCID)", 2, 3, 0, 1, "n2", 15007), Parts(place));
    }

    [Fact]
    public void An_mpi_launcher_that_srun_started_on_other_machines_goes_before_slurm()
    {
        const string slurm = "SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=2 SLURM_NODELIST=b MASTER_ADDR=a ";
        Assert.Equal(4, Launcher.Find(Environment(slurm + "OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4"))!.Size);
        Assert.Equal(4, Launcher.Find(Environment(slurm + "PMI_RANK=3 PMI_SIZE=4 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2"))!.Size);
        Assert.Equal(2, Launcher.Find(Environment(slurm + "PMI_RANK=3 PMI_SIZE=4"))!.Size);
    }

    [Theory]
    [InlineData("RANK=one WORLD_SIZE=2 MASTER_ADDR=a", "RANK is 'one'")]
    [InlineData("RANK=-1 WORLD_SIZE=2 MASTER_ADDR=a", "RANK is '-1'")]
    [InlineData("RANK=0 WORLD_SIZE=2.0 MASTER_ADDR=a", "WORLD_SIZE is '2.0'")]
    [InlineData("RANK=0 WORLD_SIZE=99999999999 MASTER_ADDR=a", "WORLD_SIZE is '99999999999'")]
    [InlineData("RANK=0 WORLD_SIZE=1000000 MASTER_ADDR=a", "WORLD_SIZE is 1000000: at most 1024")]
    [InlineData("RANK=0 WORLD_SIZE=0 MASTER_ADDR=a", "WORLD_SIZE) says that this is rank 0 of 0")]
    [InlineData("RANK=0", "RANK is set and WORLD_SIZE is not")]
    [InlineData("WORLD_SIZE=2 RANK=", "WORLD_SIZE is set and RANK is not")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a LOCAL_RANK=x", "LOCAL_RANK is 'x'")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a LOCAL_RANK=2", "LOCAL_RANK is 2 and WORLD_SIZE is 2")]
    [InlineData("RANK=0 WORLD_SIZE=4 MASTER_ADDR=a LOCAL_RANK=2 LOCAL_WORLD_SIZE=2", "LOCAL_RANK is 2 and LOCAL_WORLD_SIZE is 2")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a LOCAL_WORLD_SIZE=4", "LOCAL_WORLD_SIZE is 4 and WORLD_SIZE is 2")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=0", "MASTER_PORT is '0'")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=65536", "MASTER_PORT is '65536'")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a:29500", "MASTER_ADDR is 'a:29500'")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=tcp://a", "MASTER_ADDR is 'tcp://a'")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=x SLURM_NTASKS=2 SLURM_NODELIST=a", "SLURM_PROCID is 'x'")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=2 SLURM_NTASKS=2 SLURM_NODELIST=a", "SLURM_PROCID) says that this is rank 2 of 2")]
    [InlineData("SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_NODELIST=a", "SLURM_NTASKS is set and SLURM_PROCID is not")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=two SLURM_NTASKS=2 SLURM_NODELIST=a", "SLURM_STEP_NUM_TASKS is 'two'")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_NODELIST=a SLURM_LOCALID=x", "SLURM_LOCALID is 'x'")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_NODELIST=a SLURM_LOCALID=1 SLURM_STEP_TASKS_PER_NODE=1(x2)",
    "SLURM_LOCALID is 1 and SLURM_STEP_TASKS_PER_NODE is 1")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_NODELIST=a SLURM_TASKS_PER_NODE=2(y", "SLURM_TASKS_PER_NODE is '2(y'")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_NODELIST=a SLURM_JOB_ID=job", "SLURM_JOB_ID is 'job'")]
    [InlineData("OMPI_COMM_WORLD_RANK=a OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK is 'a'")]
    [InlineData("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_RANK is set and OMPI_COMM_WORLD_SIZE is not")]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=2 OMPI_COMM_WORLD_LOCAL_SIZE=2",
    "OMPI_COMM_WORLD_LOCAL_RANK is 2")]
    [InlineData("PMI_RANK=0 PMI_SIZE=b", "PMI_SIZE is 'b'")]
    [InlineData("PMI_RANK=0 PMI_SIZE=2 MPI_LOCALRANKID=c", "MPI_LOCALRANKID is 'c'")]
    public void What_cannot_be_read_or_is_contradicted_is_refused_by_its_name(string variables, string said) =>
        Assert.Contains(said, Assert.Throws<UsageException>(() => Launcher.Find(Environment(variables))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_name_of_300_characters_is_no_host()
    {
        var variables = Environment("RANK=0 WORLD_SIZE=2 MASTER_ADDR=" + new string('a', 300));
        string said = Assert.Throws<UsageException>(() => Launcher.Find(variables)).Message;
        Assert.Equal(
            $"MASTER_ADDR is '{new string('a', 60)}…': give the name or address of rank 0's machine, and the port in MASTER_PORT.", said);
    }

    [Theory]
    [InlineData("::1", "::1", "::1")]
    [InlineData("[::1]", "::1", "::1")]
    [InlineData("[2001:db8::7]", "2001:db8::7", null)]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1")]
    [InlineData("localhost", "localhost", "127.0.0.1")]
    [InlineData("gpu_7.cluster.example", "gpu_7.cluster.example", null)]
    public void Hosts_are_names_or_addresses_and_loopback_is_listened_at_alone(string given, string host, string? listensAt)
    {
        Assert.Equal(host, Launcher.Find(Environment("RANK=1 WORLD_SIZE=2 MASTER_ADDR=" + given))!.Host);
        var address = MeetingAddress.Of(host);
        Assert.Equal(listensAt is not null, System.Net.IPAddress.IsLoopback(address));
        if (listensAt is not null) Assert.Equal(listensAt, address.ToString());
    }

    [Theory]
    [InlineData("cuda:0", 1, 1, "cuda:0")]
    [InlineData("cuda:0", 1, 4, "cuda:1")]
    [InlineData("cuda:1", 3, 4, "cuda:0")]
    [InlineData("cuda:0", 5, 4, "cuda:1")]
    [InlineData("cuda:4", 1, 4, "cuda:4")]
    [InlineData("cuda:0", 1, 0, "cuda:0")]
    [InlineData("cpu", 1, 4, "cpu")]
    public void Each_process_takes_the_next_gpu_that_it_can_see(string named, int localRank, int visible, string gpu) =>
        Assert.Equal(gpu, ProcessGroupSetup.Gpu(named, localRank, visible));

    [Fact]
    public void A_run_that_a_network_can_join_without_a_token_is_warned_of()
    {
        var options = Rpat.Tests.Distributed.Team.Options;
        var far = Launcher.Find(Environment("RANK=0 WORLD_SIZE=2 MASTER_ADDR=node7 MASTER_PORT=1234"))!;
        Assert.Equal(
            "warning: RPAT_TEAM_SECRET is not set, so whoever reaches port 1234 of node7 can join this run: give all processes the same "
                + "random word.",
            new Transport(far, options, null).Warning);
        Assert.Null(new Transport(far, options with { Token = "word" }, null).Warning);
        Assert.Null(new Transport(far with { Host = "127.0.0.1" }, options, null).Warning);
    }

    [Theory]
    [InlineData("n[3-5,9]", "n3")]
    [InlineData("n3", "n3")]
    [InlineData("a,b", "a")]
    [InlineData("gpu[08-12],cpu[1-2]", "gpu08")]
    [InlineData("rack[1-2]n[5,7]", "rack1n5")]
    [InlineData("n[7]-ib,n9", "n7-ib")]
    [InlineData("x,n[1-2]", "x")]
    [InlineData("n[4", "n")]
    public void The_first_host_of_a_list(string nodes, string host) => Assert.Equal(host, Launcher.FirstHost(nodes));

    [Theory]
    [InlineData("4711042", 16042)]
    [InlineData("7", 15007)]
    [InlineData("", 29500)]
    public void Jobs_have_ports_of_their_own(string job, int port) => Assert.Equal(port, Launcher.SlurmPort(job));

    [Fact]
    public void Open_mpi_on_one_machine_meets_there()
    {
        var place = Launcher.Find(Environment(
            "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 PMI_RANK=0 "
                + "PMI_SIZE=9"))!;
        Assert.Equal(("Open MPI (OMPI_COMM_WORLD_RANK)", 1, 2, 1, 2, "localhost", 29500), Parts(place));
        Assert.True(place.IsLocal);
    }

    [Fact]
    public void Intel_mpi_on_several_machines_needs_an_address()
    {
        var several = Environment("PMI_RANK=1 PMI_SIZE=4 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2");
        var transport = new Transport(Launcher.Find(several)!, Rpat.Tests.Distributed.Team.Options, null);
        var error = Assert.Throws<UsageException>(transport.Join);
        Assert.Equal(
            "MPICH or Intel MPI (PMI_RANK) has started 4 processes on several machines, as far as can be told, but nothing says where "
                + "rank 0 can be reached: set MASTER_ADDR to the name of its machine for all processes (and MASTER_PORT, if not 29500).",
            error.Message);
        several["MASTER_ADDR"] = "head";
        Assert.Equal(("MPICH or Intel MPI (PMI_RANK)", 1, 4, 1, 2, "head", 29500), Parts(Launcher.Find(several)!));
    }

    [Fact]
    public void The_first_that_matches_wins()
    {
        var all =
            Environment(
            "RANK=1 WORLD_SIZE=2 MASTER_ADDR=a SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=3 SLURM_NODELIST=b PMI_RANK=2 PMI_SIZE=4");
        Assert.Equal(2, Launcher.Find(all)!.Size);
        all.Remove("RANK");
        Assert.Equal(3, Launcher.Find(all)!.Size);
    }

    [Theory]
    [InlineData("RANK=2 WORLD_SIZE=2 MASTER_ADDR=a",
    "torchrun (RANK, WORLD_SIZE) says that this is rank 2 of 2 processes: ranks go from 0 to one less than their number.")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=x", "MASTER_PORT is 'x': give a port from 1 to 65535.")]
    public void What_contradicts_itself_is_one_sentence(string variables, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<UsageException>(() => Launcher.Find(Environment(variables))).Message);

    [Theory]
    [InlineData("RANK=0 WORLD_SIZE=2", "torchrun (RANK, WORLD_SIZE)")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=", "torchrun (RANK, WORLD_SIZE)")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2", "Slurm (SLURM_PROCID)")]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2", "Open MPI (OMPI_COMM_WORLD_RANK)")]
    public void Tcp_needs_a_place_to_meet(string variables, string launcher) => Assert.Equal(
        launcher + " has started 2 processes on several machines, as far as can be told, but nothing says where rank 0 can be reached: set "
        + "MASTER_ADDR to the name of its machine for all processes (and MASTER_PORT, if not 29500).",
        Assert.Throws<UsageException>(() => Launcher.Find(Environment(variables))!.MeetingHost).Message);

    [Theory]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2", MpiFamily.OpenMpi, true)]
    [InlineData("PMI_RANK=0 PMI_SIZE=2", MpiFamily.Mpich, true)]
    [InlineData(Step + "SLURM_STEP_TASKS_PER_NODE=2 PMIX_NAMESPACE=slurm.pmix.1.0", MpiFamily.OpenMpi, false)]
    [InlineData(Step + "SLURM_STEP_TASKS_PER_NODE=1(x2) PMIX_NAMESPACE=slurm.pmix.1.0", MpiFamily.OpenMpi, true)]
    [InlineData(Step + "SLURM_STEP_TASKS_PER_NODE=1(x2) PMI_FD=9", MpiFamily.Mpich, true)]
    [InlineData(Step + "SLURM_STEP_TASKS_PER_NODE=1(x2)", null, false)]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a", null, false)]
    public void A_launcher_is_for_a_family_of_mpi(string variables, MpiFamily? family, bool prefers)
    {
        var place = Launcher.Find(Environment(variables))!;
        Assert.Equal((family, prefers), (place.Mpi, place.PrefersMpi));
    }

    private const string Step = "SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NODELIST=n[1-2] SLURM_LOCALID=0 ";

    private static Dictionary<string, string> Environment(string variables) =>
        variables.Split(' ').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    private static (string, int, int, int, int, string, int) Parts(ProcessRank p) =>
        (p.Launcher, p.Rank, p.Size, p.LocalRank, p.LocalSize, p.MeetingHost, p.Port);
}
