using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>The program under the launchers of Open MPI and MPICH, over their libraries. Alone, since ranks wait busily.</summary>
[Collection(SerialCollection.Name)]
public sealed class MpirunTests : IDisposable
{
    private const int PatienceMs = 120_000;

    private readonly TestHost _test = new();

    public static TheoryData<string> Families => [.. Mpirun.Installed];

    public void Dispose() => _test.Dispose();

    [TheoryWith(Need.Mpi)]
    [InlineData("2")]
    [InlineData("3")]
    public void Processes_over_mpi_leave_the_files_of_as_many_without_it(string count)
    {
        using (var plain = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "rpat.dll"),
            .. Tiny("tcp"), "--max-steps", "2", "--nproc", count])
        { RedirectStandardError = true, RedirectStandardOutput = true })!)
            Finish(plain);
        var expected = RunFiles.Hashes(RunFiles.Runs(_test, "tcp").Single()).ToList();
        foreach (string family in Mpirun.Installed)
        {
            using var over = Mpirun.Start(family, int.Parse(count, CultureInfo.InvariantCulture), [.. Tiny(family), "--max-steps", "2"]);
            string said = Finish(over);
            Assert.True(over.ExitCode == 0, said);
            string run = RunFiles.Runs(_test, family).Single();
            Assert.Contains($", over {(family == "openmpi" ? "Open MPI" : "MPICH")}", File.ReadAllText(Path.Combine(run, "log.txt")),
                StringComparison.Ordinal);
            Assert.Equal(expected, RunFiles.Hashes(run));
        }
    }

    /// <summary>Each family with two and three ranks, and the rank that is killed.</summary>
    public static TheoryData<string, int, int> Kills
    {
        get
        {
            TheoryData<string, int, int> kills = [];
            foreach (string family in Mpirun.Installed)
            {
                kills.Add(family, 2, 1);
                kills.Add(family, 3, 0);
            }
            return kills;
        }
    }

    [TheoryWith(Need.Mpi)]
    [MemberData(nameof(Kills))]
    public void A_killed_rank_ends_the_job_with_one_sentence_and_another_number_of_ranks_resumes_it(string family, int count, int victim)
    {
        string[] arguments = [.. Tiny("run"), "--set", "checkpoint.steps=2", "--set", "train.epochs=100000"];
        using (var process = Mpirun.Start(family, count, arguments))
        {
            Assert.True(SpinWait.SpinUntil(() => RunFiles.Runs(_test, "run").Any(run => File.Exists(Path.Combine(run, "metrics.csv"))),
                PatienceMs));
            Kill(ProcessOf(victim, _test.PathOf("run")));
            long killed = Stopwatch.GetTimestamp();
            string said = Finish(process);
            Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, new ProcessGroupOptions("", "").HeartbeatTimeout);
            Assert.NotEqual(0, process.ExitCode);
            Assert.EndsWith($"rpat: rank {victim} has ended without a word: its process was killed or has crashed; a training run resumes "
                + "from its last checkpoint with --resume auto, in any number of processes.",
                Assert.Single(said.Split('\n'), line => line.Contains("rpat:", StringComparison.Ordinal)), StringComparison.Ordinal);
        }
        if (count == 3) return; // resuming is the same, and takes its time
        string run = RunFiles.Runs(_test, "run").Single();
        int saved = Directory.GetFiles(Path.Combine(run, "checkpoints"), "step-*.safetensors")
            .Max(file => int.Parse(Path.GetFileNameWithoutExtension(file)[5..], CultureInfo.InvariantCulture));
        using var again = Mpirun.Start(family, 3, [.. arguments, "--resume", "auto", "--max-steps", $"{saved + 1}"]);
        string resumed = Finish(again);
        Assert.True(again.ExitCode == 0, resumed);
        Assert.Contains($"resuming from step {saved} of", File.ReadAllText(Path.Combine(run, "log.txt")), StringComparison.Ordinal);
        Assert.True(RunFiles.IsFinished(run), resumed);
    }

    [TheoryWith(Need.Mpi)]
    [MemberData(nameof(Families))]
    public void What_rank_zero_refuses_before_it_joins_ends_all(string family)
    {
        string[] tiny = Tiny("run");
        tiny[Array.IndexOf(tiny, "-b") + 1] = "5";
        using var process = Mpirun.Start(family, 2, tiny);
        string said = Finish(process);
        Assert.NotEqual(0, process.ExitCode);
        Assert.EndsWith("rpat: train.batch is 5 images, which 2 processes cannot divide evenly: choose 4 or 6, or another "
            + "number of processes.", Assert.Single(said.Split('\n'), line => line.Contains("rpat: ", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    [TheoryWith(Need.BothMpis)]
    [MemberData(nameof(Families))]
    public void The_library_of_another_mpi_is_one_sentence_of_rank_zero(string family)
    {
        string library = Mpirun.Library(Mpirun.Installed.First(other => other != family))!;
        using var process = Mpirun.Start(family, 2, Tiny("run"), ("RPAT_MPI", library));
        string said = Finish(process);
        Assert.NotEqual(0, process.ExitCode);
        string sentence = Assert.Single(said.Split('\n'), line => line.Contains("rpat: ", StringComparison.Ordinal));
        Assert.Matches($@"has started 2 processes, but for .* \({library}\) this is rank 0 of 1: it belongs to another launcher; name the "
            + "launcher's library in RPAT_MPI, or give run.transport=tcp.", sentence);
    }

    [TheoryWith(Need.Mpi)]
    [MemberData(nameof(Families))]
    public void Collectives_are_timed_over_the_library(string family)
    {
        using var process = Mpirun.Start(family, 2, ["bench", "comm", "--model", "mobilenetv2", "--filter", "*bucket*", "--rounds", "1"]);
        string said = Finish(process);
        Assert.True(process.ExitCode == 0, said);
        Assert.Matches(@"2 processes started by .*, over (Open MPI|MPICH)[^\n]*\nall-reduce, a bucket of 1,048,576 gradients +4\.194 MB",
            said);
    }

    private string[] Tiny(string name)
    {
        string[] tiny = TinyRun.Arguments(_test);
        tiny[Array.IndexOf(tiny, "-b") + 1] = "6";
        return [.. tiny, "-j", "1", "--name", "a", "--out", _test.PathOf(name)];
    }

    private static string Finish(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        string said = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(PatienceMs), "it hangs");
        return output.Result + said;
    }

    /// <summary>The process of a rank of the job that writes into a folder.</summary>
    private static int ProcessOf(int rank, string folder) => Directory.GetDirectories("/proc").Select(Path.GetFileName)
        .Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
        .Single(id => Read(id, "cmdline") is { } line && line.StartsWith("dotnet\0", StringComparison.Ordinal)
            && line.Contains(folder, StringComparison.Ordinal)
            && Read(id, "environ") is { } all && (all.Contains($"OMPI_COMM_WORLD_RANK={rank}\0", StringComparison.Ordinal)
            || all.Contains($"PMI_RANK={rank}\0", StringComparison.Ordinal)));

    private static string? Read(int process, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/{file}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Kill(int process)
    {
        using var kill = Process.Start("kill", ["-s", "KILL", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
