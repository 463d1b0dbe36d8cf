using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>No command writes out of a run over a link: it is refused, what the link names stays as it is, and the link as well.</summary>
public sealed class LinkTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void No_command_writes_over_a_link_out_of_a_run()
    {
        Assert.True(_test.Run([.. TinyRun.Arguments(_test), "--max-steps", "2", "--out", _test.PathOf("runs")]) == 0, _test.Error);
        string run = RunFiles.Runs(_test, "runs").Single(), elsewhere = Directory.CreateDirectory(_test.PathOf("elsewhere")).FullName;
        string theirs = _test.Write("elsewhere/theirs", "theirs"), latest = _test.PathOf("runs/latest"),
            data = "npz:" + _test.PathOf("tiny.npz");
        string[] eval = ["eval", run, "--attacks", "pgd1", "--n", "4"];

        Refused(Path.Combine(run, "eval"), elsewhere, eval);
        Refused(Path.Combine(run, "eval"), elsewhere, ["eval", latest, "--attacks", "clean", "--out", Path.Combine(latest, "eval", "x")]);
        Refused(Path.Combine(run, "eval"), elsewhere,
            [.. eval, "--out", _test.PathOf("own"), "--save-logits", Path.Combine(run, "eval", "z.npy")]);
        Refused(Path.Combine(run, "eval"), elsewhere,
            ["attack", run, "--attack", "fgsm", "--n", "2", "-o", Path.Combine(run, "eval", "a.npz")]);
        Refused(Path.Combine(run, "perception"), elsewhere, ["perception", run, "--n", "4", "--perturbations", "noise"]);
        Refused(Path.Combine(run, "report.html"), theirs, ["report", run]);
        Refused(Path.Combine(run, "x"), elsewhere, ["export", run, "-o", Path.Combine(run, "x", "net.npz")]);
        Refused(Path.Combine(run, "x"), elsewhere, ["data", "pack", data, "-o", Path.Combine(run, "x", "set.npz")]);
        Refused(Path.Combine(run, "x"), elsewhere, [.. TinyRun.Arguments(_test), "--max-steps", "1", "--out", Path.Combine(run, "x")]);
        Refused(Path.Combine(run, ".lock"), theirs, [.. TinyRun.Arguments(_test), "--resume", run]);

        Assert.True(_test.Run(eval) == 0, _test.Error);
        string folder = Directory.GetDirectories(Path.Combine(run, "eval")).Single();
        Refused(Path.Combine(folder, "journal.jsonl"), theirs, [.. eval, "--resume"]);
        Directory.Move(folder, _test.PathOf("moved"));
        Refused(folder, _test.PathOf("moved"), [.. eval, "--resume"]);
        Assert.Equal([theirs], Directory.GetFileSystemEntries(elsewhere));
    }

    // Whoever saves disk by hard links would find both changed.
    [FactWith(Need.Linux)]
    public void A_run_whose_files_have_other_names_is_not_resumed()
    {
        Assert.True(_test.Run([.. TinyRun.Arguments(_test), "--max-steps", "2", "--out", _test.PathOf("runs")]) == 0, _test.Error);
        string run = RunFiles.Runs(_test, "runs").Single(), metrics = Path.Combine(run, "metrics.jsonl"), copy = _test.PathOf("copy");
        using (var link = System.Diagnostics.Process.Start("ln", [metrics, copy])) link.WaitForExit();
        byte[] before = File.ReadAllBytes(copy);
        Assert.Equal(2, _test.Run([.. TinyRun.Arguments(_test), "--resume", run]));
        Assert.Contains("(a hard link)", _test.Error);
        Assert.Equal(before, File.ReadAllBytes(copy));
    }

    private void Refused(string link, string target, string[] command)
    {
        File.Delete(link);
        if (Directory.Exists(target)) Directory.CreateSymbolicLink(link, target);
        else File.CreateSymbolicLink(link, target);
        string[] before = [.. Files(target)];
        int code = _test.Run(command);
        Assert.True(code == 2, $"rpat {string.Join(' ', command)} ends with {code}: {_test.Out}{_test.Error}");
        Assert.Contains("is a link out of the run", _test.Error);
        Assert.Equal(before, Files(target));
        Assert.Equal(target, new FileInfo(link).LinkTarget);
        File.Delete(link);
    }

    private static IEnumerable<string> Files(string target) => File.Exists(target)
        ? [File.ReadAllText(target)]
        : Directory.GetFileSystemEntries(target, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
}
