using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>Training in several processes as a person starts it: stopped, killed, resumed by another number of them, and refused.</summary>
public sealed class TeamProcessTests : IDisposable
{
    private const int PatienceMs = 120_000;

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Killed_and_resumed_by_as_many_processes_it_leaves_the_files_of_a_run_never_stopped()
    {
        string[] epochs = ["--epochs", "30"]; // more than it trains before it is killed
        Finish("whole", ["--nproc", "2", .. epochs]);
        using (var process = Start("parts", ["--nproc", "2", .. epochs]))
        {
            WaitForFile("parts", "metrics.csv");
            foreach (int worker in Children(process)) Signal(worker, "KILL");
            process.Kill();
            process.WaitForExit();
        }

        Finish("parts", ["--nproc", "2", "--resume", "auto", .. epochs]);
        Assert.Equal(RunFiles.Hashes(RunFiles.Runs(_test, "whole").Single()), RunFiles.Hashes(RunFiles.Runs(_test, "parts").Single()));
        Assert.Contains("\"processes\": 2", File.ReadAllText(Path.Combine(RunFiles.Runs(_test, "parts").Single(), "run.json")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_killed_worker_ends_the_run_with_one_sentence()
    {
        using var process = Start("run", "--nproc", "2", "--set", "train.epochs=100000");
        WaitForFile("run", "metrics.csv");
        Signal(Children(process).Single(), "KILL");
        Assert.True(process.WaitForExit(PatienceMs), "it hangs");
        string said = process.StandardError.ReadToEnd();
        Assert.Equal(4, process.ExitCode);
        Assert.EndsWith("rpat: rank 1 has ended without a word: its process was killed or has crashed; a training run resumes from its "
            + "last checkpoint with --resume auto, in any number of processes.\n", said, StringComparison.Ordinal);
        Assert.Single(said.Split('\n'), line => line.Contains("rpat:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_killed_rank_zero_ends_the_workers()
    {
        using var process = Start("run", "--nproc", "3", "-b", "6", "--set", "train.epochs=100000");
        WaitForFile("run", "metrics.csv");
        Process[] workers = [.. Children(process).Select(Process.GetProcessById)];
        Assert.Equal(2, workers.Length);
        process.Kill();
        string said = process.StandardError.ReadToEnd(); // ends when the workers have ended too
        foreach (var worker in workers) Assert.True(worker.WaitForExit(PatienceMs), "a worker keeps running");
        Assert.StartsWith("rank 1: rpat: rank 0 has ended without a word: ",
            Assert.Single(said.Split('\n'), line => line.Contains("rpat:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM", 143, false)]
    [InlineData("TERM", 143, true)]
    [InlineData("INT", 130, false)]
    public void A_signal_to_any_of_them_stops_all_at_the_same_step(string signal, int code, bool worker)
    {
        using (var process = Start("run", "--nproc", "2", "--set", "train.epochs=100000"))
        {
            WaitForFile("run", "metrics.csv");
            Signal(worker ? Children(process).Single() : process.Id, signal);
            Assert.True(process.WaitForExit(PatienceMs), "it hangs");
            Assert.Equal(code, process.ExitCode);
            Assert.Contains("stopped early; resume with: ", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
        }

        Assert.Contains("\"interrupted\"", File.ReadAllText(Path.Combine(RunFiles.Runs(_test, "run").Single(), "run.json")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_of_time_stops_all()
    {
        using var process = Start("run", "--nproc", "2", "--max-minutes", "0.02", "--epochs", "100000");
        string said = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(PatienceMs), "it hangs");
        Assert.Equal(7, process.ExitCode);
        Assert.Contains("stopped early; resume with: ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("rpat:", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Rank_zero_that_leaves_before_it_has_saved_takes_all_along_without_an_error()
    {
        using var process = Start("run", "--nproc", "2", "--grace", "0.001", "--set", "train.epochs=100000");
        WaitForFile("run", "metrics.csv");
        Signal(process.Id, "TERM");
        string said = process.StandardError.ReadToEnd(); // ends when the worker has ended too
        Assert.True(process.WaitForExit(PatienceMs), "it hangs");
        Assert.Equal(143, process.ExitCode);
        Assert.DoesNotContain("rpat:", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Usr1_to_a_worker_saves_and_goes_on()
    {
        using var process = Start("run", "--nproc", "2", "--set", "train.epochs=100000", "--set", "checkpoint.steps=0", "--set",
            "checkpoint.epochs=0");
        WaitForFile("run", "metrics.csv");
        Signal(Children(process).Single(), "USR1");
        string checkpoints = Path.Combine(RunFiles.Runs(_test, "run").Single(), "checkpoints");
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(checkpoints) && Directory.GetFiles(checkpoints, "*.safetensors").Length > 0,
            PatienceMs));
        Assert.False(process.HasExited);
        process.Kill();
        process.WaitForExit();
    }

    [Theory]
    [InlineData("1", "2")]
    [InlineData("2", "1")]
    public void Another_number_of_processes_goes_on(string first, string second)
    {
        using (var process = Start("run", "--nproc", first, "-b", "6", "--max-steps", "5", "--set", "train.accumulate=2", "--set",
            "optimizer.clip=1"))
            Assert.True(process.WaitForExit(PatienceMs));
        string run = RunFiles.Runs(_test, "run").Single();
        using var again = Launch("train", "--resume", run, "--nproc", second, "--set", "train.max_steps=0");
        string said = again.StandardError.ReadToEnd();
        Assert.True(again.WaitForExit(PatienceMs));
        Assert.True(again.ExitCode == 0, said);
        Assert.Contains("resuming from step 5 of", File.ReadAllText(Path.Combine(run, "log.txt")), StringComparison.Ordinal);
        Assert.True(RunFiles.IsFinished(run));
    }

    [Fact]
    public void Rollbacks_validation_and_averages_of_epochs_are_agreed_on()
    {
        Finish(
            "run", "--nproc", "2", "--set", "optimizer.lr=1e30", "--set", "guard.action=rollback", "--set", "guard.cut=1e-31", "--set",
            "data.validation=6",
            "--set", "average.swa=2", "--set", "eval.monitor=pgd2");
        string run = RunFiles.Runs(_test, "run").Single(), log = File.ReadAllText(Path.Combine(run, "log.txt"));
        Assert.Contains("rolled back from step", log, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(run, "best.safetensors")));
    }

    [Fact]
    public void A_divergence_ends_all_with_its_code()
    {
        using var process = Start("run", "--nproc", "2", "--set", "optimizer.lr=1e30");
        string said = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(PatienceMs));
        Assert.Equal(5, process.ExitCode);
        Assert.Contains("rpat: training diverged at step", said, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(RunFiles.Runs(_test, "run").Single(), "post-mortem.safetensors")));
    }

    [Fact]
    public void Ranks_of_a_launcher_meet_and_only_rank_zero_writes()
    {
        int port = FreePort();
        using var one = Ranked(1, port);
        using var zero = Ranked(0, port);
        string said = one.StandardError.ReadToEnd() + one.StandardOutput.ReadToEnd();
        Assert.True(zero.WaitForExit(PatienceMs) && one.WaitForExit(PatienceMs));
        Assert.Equal((0, 0, ""), (zero.ExitCode, one.ExitCode, said));
        string log = File.ReadAllText(Path.Combine(RunFiles.Runs(_test, "run").Single(), "log.txt"));
        Assert.Contains("2 processes started by torchrun (RANK, WORLD_SIZE), rank 0", log, StringComparison.Ordinal);
        Assert.Contains("each computes 2 of a batch's 4 images", log, StringComparison.Ordinal);
    }

    [Fact]
    public void Ranks_with_other_options_are_refused()
    {
        int port = FreePort();
        using var one = Ranked(1, port, "--lr", "0.5");
        using var zero = Ranked(0, port);
        Assert.True(zero.WaitForExit(PatienceMs) && one.WaitForExit(PatienceMs));
        const string sentence =
            "rpat: rank 1 has another configuration than rank 0: give all processes the same recipe, files, environment and options.\n";
        Assert.EndsWith(sentence, zero.StandardError.ReadToEnd(), StringComparison.Ordinal);
        Assert.Equal("rank 1: " + sentence, one.StandardError.ReadToEnd());
        Assert.Equal((2, 2), (zero.ExitCode, one.ExitCode));
    }

    [Theory]
    [InlineData("train.batch is 4 images, which 3 processes cannot divide evenly: choose 3 or 6, or another number of "
        + "processes.", "--nproc", "3")]
    [InlineData("train.batch is 4 images, which 5 processes cannot divide evenly: choose 5, or another number of "
        + "processes.", "--nproc", "5")]
    public void What_cannot_be_divided_is_refused_before_anything_starts(string sentence, params string[] more)
    {
        Assert.Equal(2, _test.Run([.. TinyRun.Arguments(_test), "--out", _test.PathOf("run"), .. more]));
        Assert.Equal($"rpat: {sentence}\n", _test.Error);
        Assert.Empty(RunFiles.Runs(_test, "run"));
    }

    [Fact]
    public void A_launcher_and_nproc_must_not_contradict()
    {
        using var test = new TestHost(("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "localhost"));
        Assert.Equal(2, test.Run([.. TinyRun.Arguments(test), "--nproc", "4"]));
        Assert.Equal("rpat: --nproc 4 contradicts the 2 processes that torchrun (RANK, WORLD_SIZE) has started: leave --nproc out.\n",
            test.Error);
    }

    [Fact]
    public void A_dry_run_says_what_each_process_takes()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--nproc", "2", "--dry-run", "--out", _test.PathOf("run")]));
        Assert.Contains("processes: 2", _test.Out, StringComparison.Ordinal);
        Assert.Contains("#   processes 2, each with 2 images of a batch", _test.Out, StringComparison.Ordinal);
    }

    private void Finish(string name, params string[] more)
    {
        using var process = Start(name, more);
        string said = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(PatienceMs), "it hangs");
        Assert.True(process.ExitCode == 0, said);
    }

    private Process Start(string name, params string[] more) => Launch(
        [.. Tiny(more), "-j", "1", .. more.Contains("--epochs") ? [] : new[] { "--set", "train.epochs=6" }, "--set", "checkpoint.steps=2",
            "--name", "a", "--out", _test.PathOf(name), .. more]);

    // An option may stand once.
    private IEnumerable<string> Tiny(string[] more)
    {
        string[] tiny = TinyRun.Arguments(_test);
        return more.Contains("-b") ? tiny.Where((text, i) => text != "-b" && (i == 0 || tiny[i - 1] != "-b")) : tiny;
    }

    private Process Ranked(int rank, int port, params string[] more)
    {
        var start = Prepared([.. TinyRun.Arguments(_test), "-j", "1", "--name", "a", "--out", _test.PathOf("run"), "--max-steps", "3",
            .. more]);
        foreach (var (name, value) in new[] { ("RANK", rank), ("WORLD_SIZE", 2), ("MASTER_PORT", port) }) start.Environment[name] =
            value.ToString(CultureInfo.InvariantCulture);
        (start.Environment["MASTER_ADDR"], start.Environment["RPAT_TEAM_SECRET"]) = ("localhost", "word");
        return Process.Start(start)!;
    }

    private static Process Launch(params string[] arguments) => Process.Start(Prepared(arguments))!;

    private static ProcessStartInfo Prepared(string[] arguments) => ChildProcess.Of(arguments);

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void WaitForFile(string name, string file) => Assert.True(SpinWait.SpinUntil(
        () => RunFiles.Runs(_test, name).Any(run => File.Exists(Path.Combine(run, file))), PatienceMs));

    private static int[] Children(Process process)
    {
        using var list = Process.Start(new ProcessStartInfo("ps",
            ["-o", "pid=", "--ppid", process.Id.ToString(CultureInfo.InvariantCulture)])
        { RedirectStandardOutput = true })!;
        string said = list.StandardOutput.ReadToEnd();
        return [.. said.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
    }

    private static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", ["-s", name, process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
