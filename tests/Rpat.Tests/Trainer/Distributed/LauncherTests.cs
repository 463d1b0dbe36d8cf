using Rpat.Trainer.Distributed;
using Rpat.Trainer.Errors;

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
        Assert.Equal("8 processes started by torchrun (RANK, WORLD_SIZE), rank 5 (number 1 of this machine's 4), meeting at node7:1234", place.Description);
    }

    [Fact]
    public void Torchruns_port_has_a_default() =>
        Assert.Equal(29500, Launcher.Find(Environment("RANK=0 WORLD_SIZE=2 MASTER_ADDR=localhost"))!.Port);

    [Fact]
    public void One_process_is_alone_whoever_started_it() =>
        Assert.Null(Launcher.Find(Environment("RANK=0 WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2")));

    [Fact]
    public void Slurm()
    {
        var place = Launcher.Find(Environment(
            "SLURM_STEP_ID=0 SLURM_PROCID=3 SLURM_NTASKS=6 SLURM_LOCALID=1 SLURM_NODELIST=n[3-5,9] SLURM_JOB_ID=4711042 SLURM_TASKS_PER_NODE=2(x3)"))!;
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
            "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 PMI_RANK=0 PMI_SIZE=9"))!;
        Assert.Equal(("Open MPI (OMPI_COMM_WORLD_RANK)", 1, 2, 1, 2, "localhost", 29500), Parts(place));
        Assert.True(place.IsLocal);
    }

    [Fact]
    public void Intel_mpi_on_several_machines_needs_an_address()
    {
        var several = Environment("PMI_RANK=1 PMI_SIZE=4 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2");
        var error = Assert.Throws<UsageException>(() => Launcher.Find(several));
        Assert.Equal(
            "MPICH or Intel MPI (PMI_RANK) has started 4 processes on several machines, as far as can be told, but nothing says where rank 0 can be reached: set MASTER_ADDR to the name of its machine for all processes (and MASTER_PORT, if not 29500).",
            error.Message);
        several["MASTER_ADDR"] = "head";
        Assert.Equal(("MPICH or Intel MPI (PMI_RANK)", 1, 4, 1, 2, "head", 29500), Parts(Launcher.Find(several)!));
    }

    [Fact]
    public void The_first_that_matches_wins()
    {
        var all = Environment("RANK=1 WORLD_SIZE=2 MASTER_ADDR=a SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=3 SLURM_NODELIST=b PMI_RANK=2 PMI_SIZE=4");
        Assert.Equal(2, Launcher.Find(all)!.Size);
        all.Remove("RANK");
        Assert.Equal(3, Launcher.Find(all)!.Size);
    }

    [Theory]
    [InlineData("RANK=2 WORLD_SIZE=2 MASTER_ADDR=a", "torchrun (RANK, WORLD_SIZE) says that this is rank 2 of 2 processes: ranks go from 0 to one less than their number.")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=x", "MASTER_PORT is 'x': give a port from 1 to 65535.")]
    [InlineData("RANK=0 WORLD_SIZE=2", "RANK and WORLD_SIZE are set, as by torchrun, but nothing says where rank 0 can be reached: set MASTER_ADDR to the name of its machine for all processes (and MASTER_PORT, if not 29500).")]
    public void What_contradicts_itself_is_one_sentence(string variables, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<UsageException>(() => Launcher.Find(Environment(variables))).Message);

    private static Dictionary<string, string> Environment(string variables) =>
        variables.Split(' ').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    private static (string, int, int, int, int, string, int) Parts(Place p) => (p.Launcher, p.Rank, p.Size, p.LocalRank, p.LocalSize, p.Host, p.Port);
}
