using System.Runtime.Versioning;
using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Training;

/// <summary>
/// Training in a process of its own, ended by signals: SIGKILL at a random moment, SIGTERM, SIGINT and SIGUSR1. <c>RPAT_KILLS</c> is how
/// often it is killed; 2 by default.
/// </summary>
public sealed class KilledTrainingTests : IDisposable
{
    private readonly TestHost _test = new();
    private readonly Dictionary<string, string> _environment = [];
    private string[] _under = [];

    public void Dispose() => _test.Dispose();

    [Fact]
    public void KilledAnywhereAndResumedItLeavesTheFilesOfARunNeverStopped()
    {
        var watch = Stopwatch.StartNew();
        using (var process = Start("whole")) process.WaitForExit();
        int length = (int)watch.ElapsedMilliseconds;
        int kills = int.Parse(Environment.GetEnvironmentVariable("RPAT_KILLS") ?? "2", CultureInfo.InvariantCulture);
        var random = new System.Random(Environment.ProcessId);
        for (int i = 0; i < kills && !IsDone(); i++) // what is finished is not resumed: the next would start again
        {
            using var process = Start("parts", "--resume", "auto");
            process.WaitForExit(random.Next(length));
            process.Kill();
            process.WaitForExit();
        }

        if (!IsDone()) using (var last = Start("parts", "--resume", "auto")) last.WaitForExit();
        Assert.Equal(RunFiles.Hashes(RunFiles.Runs(_test, "whole").Single()),
            RunFiles.Hashes(RunFiles.Runs(_test, "parts").Single(RunFiles.IsFinished)));
    }

    private bool IsDone() => RunFiles.Runs(_test, "parts").Any(RunFiles.IsFinished);

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    public void ASignalSavesAndSaysHowToGoOn(string signal, int code)
    {
        using (var process = Start("parts", "--set", "train.epochs=100000"))
        {
            WaitForStep("parts");
            Signal(process, signal);
            Assert.True(process.WaitForExit(60_000));
            Assert.Equal(code, process.ExitCode);
            Assert.Contains("stopped early; resume with: ", process.StandardError.ReadToEnd());
        }

        string run = RunFiles.Runs(_test, "parts").Single();
        Assert.Contains("\"interrupted\"", File.ReadAllText(Path.Combine(run, "run.json")));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(run, "checkpoints")));
    }

    [Fact]
    public void ATimeLimitSavesAndEndsWithItsCode()
    {
        using var process = Start("parts", "--set", "train.epochs=100000", "--max-minutes", "0.02");
        Assert.True(process.WaitForExit(60_000));
        Assert.Equal(7, process.ExitCode);
        Assert.Contains("stopped early; resume with: ", process.StandardError.ReadToEnd());
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(RunFiles.Runs(_test, "parts").Single(), "checkpoints")));
    }

    [TheoryWith(Need.Posix)]
    [UnsupportedOSPlatform("windows")]
    [InlineData("train.batch=4")]
    [InlineData("train.overfit_batch=true")] // an epoch is a step
    public void UnderSlurmUsr1PutsTheJobBackIntoTheQueue(string setting)
    {
        string called = _test.PathOf("called"), tool = _test.Write("scontrol", $"#!/bin/sh\necho \"$@\" >'{called}'\n");
        File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        _environment["PATH"] = $"{_test.Folder}:{Environment.GetEnvironmentVariable("PATH")}";
        (_environment["SLURM_JOB_ID"], _environment["SLURM_JOB_NAME"]) = ("123", "train");
        using var process = Start("parts", "--set", "train.epochs=100000", "--set", "run.requeue=true", "--set", setting);
        WaitForStep("parts");
        Signal(process, "USR1");
        Assert.True(SpinWait.SpinUntil(() => File.Exists(called) && new FileInfo(called).Length > 0, 60_000));
        Assert.Equal("requeue 123\n", File.ReadAllText(called));
        Assert.False(process.HasExited);
        process.Kill();
        process.WaitForExit();
    }

    [Fact]
    public void Usr1SavesAndGoesOn()
    {
        using var process = Start("parts", "--set", "train.epochs=100000", "--set", "checkpoint.steps=0", "--set", "checkpoint.epochs=0");
        WaitForStep("parts");
        Signal(process, "USR1");
        string checkpoints = Path.Combine(RunFiles.Runs(_test, "parts").Single(), "checkpoints");
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(checkpoints) && Directory.GetFiles(checkpoints, "*.safetensors").Length > 0,
            60_000));
        Assert.False(process.HasExited);
        process.Kill();
        process.WaitForExit();
    }

    [Fact]
    public void Usr1DuringAValidationSavesBeforeItsEnd()
    {
        using var process = Start("parts", "--set", "data.validation=8", "--set", "eval.batch=1", "--set", "eval.monitor=pgd20000",
            "--set", "checkpoint.steps=0", "--set", "checkpoint.epochs=0");
        WaitForStep("parts");
        Signal(process, "USR1");
        string run = RunFiles.Runs(_test, "parts").Single(), checkpoints = Path.Combine(run, "checkpoints");
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(checkpoints) && Directory.GetFiles(checkpoints, "*.safetensors").Length > 0,
            60_000));
        Assert.DoesNotContain("val", File.ReadAllText(Path.Combine(run, "metrics.jsonl")));
        process.Kill();
        process.WaitForExit();
    }

    [Fact]
    public void Usr1BeforeTheFirstStepIsKeptForIt()
    {
        using var process = Start("parts", "--set", "train.epochs=100000", "--set", "checkpoint.steps=0", "--set", "checkpoint.epochs=0");
        // A device is opened with the data, long before the loop begins; the program catches the signal first of all.
        Assert.True(SpinWait.SpinUntil(() => Catches(process.Id, 10), 60_000));
        Signal(process, "USR1");
        Assert.True(SpinWait.SpinUntil(() => RunFiles.Runs(_test, "parts").Any(run => Directory.Exists(Path.Combine(run, "checkpoints"))
            && Directory.GetFiles(Path.Combine(run, "checkpoints"), "*.safetensors").Length > 0), 60_000));
        Assert.False(process.HasExited);
        process.Kill();
        process.WaitForExit();
    }

    [Fact]
    public void UnderNohupTheTerminalMayGo()
    {
        _under = ["nohup"];
        using var process = Start("parts", "--set", "train.epochs=100000");
        WaitForStep("parts");
        Signal(process, "HUP");
        Assert.False(process.WaitForExit(500));
        process.Kill();
        process.WaitForExit();
    }

    private static bool Catches(int process, int signal)
    {
        if (!OperatingSystem.IsLinux()) return true;
        try
        {
            return (ChildProcess.Signals(process.ToString(CultureInfo.InvariantCulture), "SigCgt") >> signal - 1 & 1) != 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Process Start(string name, params string[] more)
    {
        string[] arguments = [.. TinyRun.Arguments(_test), "--set", "train.epochs=12", "--set", "checkpoint.steps=2", "--name", "a",
            "--out", _test.PathOf(name), .. more];
        var start = ChildProcess.Of(arguments, _under);
        foreach (var (variable, value) in _environment) start.Environment[variable] = value;
        return Process.Start(start)!;
    }

    // The first epoch's metrics say that the loop runs and listens.
    private void WaitForStep(string name) => Assert.True(SpinWait.SpinUntil(
        () => RunFiles.Runs(_test, name).Any(run => File.Exists(Path.Combine(run, "metrics.csv"))), 60_000));

    private static void Signal(Process process, string name)
    {
        using var kill = Process.Start("kill", ["-s", name, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
