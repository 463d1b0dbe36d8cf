using Rpat.Trainer.Cli;
using Rpat.Trainer.View;

namespace Rpat.Tests.Trainer.Cli;

public sealed class TrainConsoleTests : IDisposable
{
    private static readonly EvaluationResult _result = new(1000, "linf eps 8/255", [new("Clean", true, 0.8), new("PGD-20", false, 0.6)]);

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AFinishedRunPrintsResultFolderAndNextCommand()
    {
        int code = Run((view, _) =>
        {
            Assert.Equal("running", Status());
            view.Note("trained");
            return new TrainingOutcome([_result]);
        });
        Assert.Equal((0, "finished"), (code, Status()));
        string folder = RunPath();
        Assert.Contains("    Clean   PGD-20     Mean      NRR", _test.Out);
        Assert.Contains($"run folder: {folder}", _test.Out);
        Assert.Contains($"rpat eval {folder} --attacks clean,pgd20,aa --n 100", _test.Out);
        Assert.Equal("trained", _test.Error.Trim());
        Assert.Contains("2026-11-21 02:38:00  trained\n", File.ReadAllText(Path.Combine(folder, "log.txt")));
        Assert.Contains("result NRR 68.57", File.ReadAllText(Path.Combine(folder, "log.txt")));
        Assert.DoesNotContain('\u001b', _test.Out + _test.Error);
    }

    [Theory]
    [InlineData(130)]
    [InlineData(143)]
    public void AStoppedRunEndsWithTheSignalsCode(int signal)
    {
        int code = Run((_, stop) =>
        {
            stop.Ask(signal);
            return new TrainingOutcome([], Interrupted: stop.IsRequested);
        });
        Assert.Equal((signal, "interrupted"), (code, Status()));
        Assert.Empty(_test.Out);
        Assert.StartsWith("stopping as soon as the run can be resumed", _test.Error, StringComparison.Ordinal);
        Assert.Matches(@"stopped early; resume with: .*train --resume .*fashion-quick", _test.Error);
    }

    [Fact]
    public void AnErrorIsShownLoggedAndRecorded()
    {
        int code = Run((_, _) => throw new DataException("'x' is missing: get it."));
        Assert.Equal((3, "failed"), (code, Status()));
        Assert.StartsWith("rpat: 'x' is missing: get it.", _test.Error);
        Assert.Contains("'x' is missing", File.ReadAllText(Path.Combine(RunPath(), "log.txt")));
    }

    [Fact]
    public void DivergenceHasAStatusOfItsOwnAndIsNotResumedUnchanged()
    {
        Assert.Equal((5, "diverged"), (Run((_, _) => throw new DivergedException("loss is NaN.")), Status()));
        Assert.Matches(@"change that in a new run, or in this one with: rpat train --resume .* --allow-change optimizer\.lr --lr RATE\n$",
            _test.Error);
    }

    [Fact]
    public void AFaultOfTheProgramLeavesItsTraceInTheLog()
    {
        Assert.Equal(1, Run((_, _) => throw new InvalidOperationException("oops")));
        Assert.DoesNotContain("   at ", _test.Error);
        Assert.Contains("   at ", File.ReadAllText(Path.Combine(RunPath(), "log.txt")));
    }

    private int Run(Func<IProgressView, StopRequest, TrainingOutcome> train)
    {
        var sources = new ConfigSources([], new Dictionary<string, string>(), ["recipe=fashion-quick", $"run.out={_test.Folder}"], []);
        var compute = new ComputeInfo("cpu", "", new Dictionary<string, string>());
        using var session = new TrainingSession(
            new RunPlan(ConfigResolver.Resolve(sources)), compute, ["rpat", "train", "--recipe", "fashion-quick"], _test.Host.Clock);
        using var stop = new StopRequest();
        return new TrainConsole(session, stop, _test.Host).Run(view => session.Keep(stop, () => train(session.Logged(view), stop)));
    }

    private string RunPath() => _test.PathOf("20261121-0238-fashion-quick");

    private string Status()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(RunPath(), RunRecord.FileName)));
        return json.RootElement.GetProperty("status").GetString()!;
    }
}
