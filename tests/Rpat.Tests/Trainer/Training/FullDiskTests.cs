using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Training;

/// <summary>
/// A disk that is full when a checkpoint is written: a file system of its own that holds a few checkpoints and no more.
/// <see cref="ResumeTests"/> has the same with a file that cannot be written, for systems that mount no such thing.
/// </summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [FactWith(Need.PrivateMounts)]
    public void TheEarlierCheckpointIsIntactAndTheSentenceSaysWhatToDo()
    {
        Assert.Equal(0, _test.Run(Arguments(_test.PathOf("whole"))));
        string small = Directory.CreateDirectory(_test.PathOf("small")).FullName, kept = _test.PathOf("kept");
        var (code, error) = PrivateMounts.Run($"mount -t tmpfs -o size={2 * LargestFile() + 390_000} none {small}",
            $"cp -r {small} {kept}", Arguments(small));
        Assert.Equal(2, code);
        Assert.Matches(
            @"\nrpat: the run stops at step \d+, since .* cannot be written \(No space left on device .*: check that .* has room \(the checkpoint of step \d+ is intact\)\.\n", error);
        Assert.Contains("resume with: ", error, StringComparison.Ordinal);
        Assert.Equal(0, _test.Run("train", "--resume", RunFiles.Runs(_test, "kept").Single()));
        Assert.Equal(RunFiles.Hashes(RunFiles.Runs(_test, "whole").Single()), RunFiles.Hashes(RunFiles.Runs(_test, "kept").Single()));
    }

    [FactWith(Need.PrivateMounts)]
    public void ARunThatWillNotFitIsRefusedBeforeAnythingIsTrained()
    {
        string small = Directory.CreateDirectory(_test.PathOf("tiny")).FullName;
        var (code, error) = PrivateMounts.Run($"mount -t tmpfs -o size=100k none {small}", $"ls {small} >&2",
            [.. Arguments(small), "--set", "run.check_disk=true"]);
        Assert.Equal(2, code);
        Assert.Matches(
            @"^rpat: the run will need about .* in '.*', where .* are free: lower checkpoint\.keep, make room, choose another folder with --out, or insist with run\.check_disk=false\.\n$", error);
    }

    [FactWith(Need.PrivateMounts)]
    public void AFolderThatMayOnlyBeReadIsSaidBeforeAnythingIsTrained()
    {
        string folder = Directory.CreateDirectory(_test.PathOf("read-only")).FullName;
        var (code, error) = PrivateMounts.Run($"mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}", "", Arguments(folder));
        Assert.Equal(2, code);
        Assert.Matches(@"^rpat: no run folder can be made in .*read-only.*Read-only file system", error);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [FactWith(Need.PrivateMounts)]
    public void ARunThatMayOnlyBeReadIsNotGoneOnWith()
    {
        Assert.Equal(0, _test.Run(Arguments(_test.PathOf("runs"))));
        string run = RunFiles.Runs(_test, "runs").Single();
        var (code, error) = PrivateMounts.Run($"mount --bind {run} {run}; mount -o remount,bind,ro {run}", "", "train", "--resume", run);
        Assert.Equal(2, code);
        Assert.Matches(
            "^rpat: run folder .* cannot be resumed .*: check that no other process or job has it open and that it is writable", error);
    }

    private long LargestFile() =>
        Directory.GetFiles(_test.PathOf("whole"), "*.safetensors", SearchOption.AllDirectories).Max(file => new FileInfo(file).Length);

    // Every checkpoint stays, so that the space runs out in the middle of the run.
    private string[] Arguments(string folder) =>
    [
        .. TinyRun.Arguments(_test), "--epochs", "4", "--set", "checkpoint.steps=2", "--set", "checkpoint.keep=100", "--set",
        "run.check_disk=false", "--device", "cpu", "--name", "a", "--out", folder,
    ];
}
