using Rpat.Trainer.View;

namespace Rpat.Tests.Trainer.Runs;

public sealed class MetricsLogTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void EventsAreLinesOfJsonOnDiskAtOnce()
    {
        using var file = Open(out var log);
        log.Event("train", 12, 1, new Metric("loss", 1.25), new Metric("lr", 0.1));
        log.Event("test", 94, 1, new Metric("clean", double.NaN));
        string[] lines = ReadShared("m.jsonl").Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Empty(lines[2]);
        Assert.Equal("""{"step":12,"epoch":1,"split":"train","loss":1.25,"lr":0.1}""", lines[0]);
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse(lines[1]).RootElement.GetProperty("clean").ValueKind);
    }

    [Fact]
    public void TheTableHasOneRowPerEpochAndGrowsToTheRight()
    {
        using var file = Open(out var log);
        log.Event("train", 10, 1, new Metric("loss", 1.5), new Metric("clean", 0.25));
        Assert.Equal("epoch,loss,clean\n1,1.5,0.25\n", File.ReadAllText(_test.PathOf("m.csv")));
        log.Event("train", 20, 2, new Metric("loss", 1e-7), new Metric("a,b", double.NaN));
        log.Event("val", 20, 2, new Metric("pgd-10", 0.5));
        Assert.Equal("epoch,loss,clean,\"a,b\",val_pgd-10\n1,1.5,0.25,,\n2,1E-07,,NaN,0.5\n", File.ReadAllText(_test.PathOf("m.csv")));
        Assert.Equal(2, Directory.GetFiles(_test.Folder).Length);
    }

    [Fact]
    public void ATableOfACutFileIsThatOfOneThatWasNeverLonger()
    {
        long length;
        string table;
        using (var file = Open(out var log))
        {
            log.Event("train", 10, 1, new Metric("loss", 0.1), new Metric("odd", double.NaN));
            (length, table) = (file.Length, File.ReadAllText(_test.PathOf("m.csv")));
            log.Event("train", 20, 2, new Metric("more", 1.0 / 3));
            file.Append("half a li"u8);
        }
        using var again = Open(out var resumed);
        again.TruncateTo(length);
        resumed.Reload();
        Assert.Equal(table, File.ReadAllText(_test.PathOf("m.csv")));
    }

    private AppendOnlyFile Open(out MetricsLog log)
    {
        var file = new AppendOnlyFile(_test.PathOf("m.jsonl"));
        log = new MetricsLog(file, _test.PathOf("m.csv"));
        return file;
    }

    private string ReadShared(string name)
    {
        using var file = new FileStream(_test.PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new StreamReader(file).ReadToEnd();
    }
}
