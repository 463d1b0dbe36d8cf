using System.Text.Json;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Tests.Trainer.Runs;

public sealed class MetricsLogTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void EventsAreLinesOfJsonOnDiskAtOnce()
    {
        using var log = Open();
        log.Event("train", 12, 1, new Metric("loss", 1.25), new Metric("lr", 0.1));
        log.Event("test", 94, 1, new Metric("clean", double.NaN));
        string[] lines = ReadShared("m.jsonl").Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Empty(lines[2]);
        Assert.Equal(
            """{"t":"2026-11-21T02:38:00+00:00","step":12,"epoch":1,"split":"train","loss":1.25,"lr":0.1}""", lines[0]);
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse(lines[1]).RootElement.GetProperty("clean").ValueKind);
    }

    [Fact]
    public void EventsAreAppendedToAnOlderFile()
    {
        using (var first = Open()) first.Event("train", 1, 1);
        using (var second = Open()) second.Event("train", 2, 1);
        Assert.Equal(2, File.ReadAllLines(_test.PathOf("m.jsonl")).Length);
    }

    [Fact]
    public void TheTableHasOneRowPerEpochAndGrowsToTheRight()
    {
        using var log = Open();
        log.Epoch(1, new Metric("loss", 1.5), new Metric("clean", 0.25));
        Assert.Equal("epoch,loss,clean\n1,1.5,0.25\n", File.ReadAllText(_test.PathOf("m.csv")));
        log.Epoch(2, new Metric("loss", 1e-7), new Metric("a,b", double.NaN));
        Assert.Equal("epoch,loss,clean,\"a,b\"\n1,1.5,0.25,\n2,1E-07,,NaN\n", File.ReadAllText(_test.PathOf("m.csv")));
        Assert.Equal(2, Directory.GetFiles(_test.Folder).Length);
    }

    private MetricsLog Open() => new(_test.PathOf("m.jsonl"), _test.PathOf("m.csv"), new FixedClock());

    private string ReadShared(string name)
    {
        using var file = new FileStream(_test.PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new StreamReader(file).ReadToEnd();
    }
}
