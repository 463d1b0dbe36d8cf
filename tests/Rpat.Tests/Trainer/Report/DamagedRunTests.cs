using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Runs;
using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

/// <summary>What a damaged or hostile run folder costs: itself at most, a line of metrics at least.</summary>
[Collection(SerialCollection.Name)]
public sealed class DamagedRunTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ABadLineOfMetricsCostsThatLine()
    {
        byte[] lines =
        [
            .. Line(1), .. "{\"step\":2,\"epoch\":2,\"spl"u8, 0xFF, .. "it\":\"train\",\"loss\":1}\n"u8,
            .. "{\"step\":1.5,\"epoch\":2,\"split\":\"train\",\"loss\":1}\n"u8,
            .. "{\"step\":2,\"epoch\":\"two\",\"split\":\"train\",\"loss\":1}\n"u8, .. "{\"step\":2,\"epoch\":2,\"split\":null}\n[]\n7\n"u8,
            .. "{\"step\":2,\"epoch\":2,\"split\":\"train\",\"loss\":\"low\"}\n"u8, .. new byte[300_000], (byte)'\n', .. Line(3),
            .. "\n{\"step\":4,"u8,
        ];
        File.WriteAllBytes(_test.PathOf("metrics.jsonl"), lines);
        Assert.Equal([1, 3], MetricEvent.Read(_test.PathOf("metrics.jsonl")).Select(one => one.Epoch));
    }

    [Theory]
    [InlineData("config.yaml", "\0\0\0\0", true)]
    [InlineData("config.yaml", "[[[[", true)]
    [InlineData("run.json", "\0\0\0\0", false)]
    [InlineData("run.json", "{\"command_line\":null}", false)]
    [InlineData("result.json", "\0\0\0\0", false)]
    [InlineData("result.json", "[null]", false)]
    [InlineData("result.json", "[{\"images\":-1,\"threat\":\"\",\"scores\":[]}]", false)]
    [InlineData("result.json", "{\"a\":1}", false)]
    [InlineData("warnings.txt", "\0\0", true)]
    public void OneBadFolderDoesNotHideTheOthers(string file, string content, bool leftOut)
    {
        string bad = MadeRun.Finished(_test, "bad");
        MadeRun.Finished(_test, "good");
        File.WriteAllText(Path.Combine(bad, file), content);
        Assert.Equal(0, _test.Run("runs", "list", "--runs", _test.PathOf("runs")));
        Assert.Matches("20261121-0238-good +finished", _test.Out);
        Assert.Equal(leftOut, _test.Error.Contains($"'{bad}' is left out: ", StringComparison.Ordinal));
        Assert.Equal(!leftOut, _test.Out.Contains("20261121-0238-bad", StringComparison.Ordinal));
    }

    [Fact]
    public void APageHoldsNoFileFromElsewhere()
    {
        string run = MadeRun.Finished(_test, "pictures"), images = Directory.CreateDirectory(Path.Combine(run, "images")).FullName,
            secret = _test.Write("secret", "secret");
        File.CreateSymbolicLink(Path.Combine(images, "adversarial.png"), secret);
        File.WriteAllText(Path.Combine(images, "other.png"), "secret");
        Assert.Empty(RunData.Load(run).Pictures);
        File.Delete(Path.Combine(images, "adversarial.png"));
        File.WriteAllText(Path.Combine(images, "adversarial.png"), "secret");
        Assert.Empty(RunData.Load(run).Pictures);
        Png.Write(Path.Combine(images, "adversarial.png"), 1, 1, 3, new byte[3]);
        Assert.Single(RunData.Load(run).Pictures);
    }

    [Fact]
    public void CommandLinesCanBePasted()
    {
        string run = MadeRun.Finished(_test, "quoted"), record = Path.Combine(run, "run.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"train\"", "\"train\", \"a b\", \"$(reboot)\", \"\\u001b[2J\""));
        Assert.Contains("rpat train &#39;a b&#39; &#39;$(reboot)&#39; &#39;\\u001b[2J&#39;", RunReport.Page(RunData.Load(run)));
    }

    [Fact]
    public void LongMetricsTakeAMoment()
    {
        string run = MadeRun.Finished(_test, "long");
        using (var file = new StreamWriter(Path.Combine(run, "metrics.jsonl")))
        {
            for (int i = 1; i <= 200_000; i++)
                file.Write(string.Create(CultureInfo.InvariantCulture,
                    $"{{\"step\":{i},\"epoch\":{i},\"split\":\"train\",\"lr\":0.1,\"loss\":{(i == 77_777 ? 99 : 1.0 / i)}}}\n"));
        }

        var best = TimeSpan.MaxValue;
        for (int tries = 0; tries < 3 && best > TimeSpan.FromSeconds(10); tries++) // the first compiles
        {
            TimeSpan start = Environment.CpuUsage.TotalTime;
            Assert.InRange(RunReport.Page(RunData.Load(run)).Length, 10_000, 200_000);
            best = Environment.CpuUsage.TotalTime - start;
        }

        Assert.True(best < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void AThinnedCurveKeepsItsSpikes()
    {
        (double, double)[] points = [.. Enumerable.Range(0, 100_000)
            .Select(i => ((double)i, i == 55_555 ? 9.0 : i == 66_666 ? double.NaN : 1.0))];
        string drawn = SvgLineChart.Draw(new ChartText("t", "x", "y", 460), [new LineSeries("a", points)], Axis.Between(0, 10, 5))
            .ToString();
        string spike = SvgLineChart.Draw(new ChartText("t", "x", "y", 460), [new LineSeries("a", [(0, 1), (55_555, 9), (99_999, 1)])],
            Axis.Between(0, 10, 5)).ToString();
        string top = spike.Split("M")[1].Split('L')[1].Split('L', '"')[0];
        Assert.Contains(top, drawn);
        Assert.InRange(drawn.Length, 1000, 60_000);
    }

    [Fact]
    public void NamesThatXmlHasNoPlaceForAreWrittenOut()
    {
        string run = MadeRun.Finished(_test, "names");
        File.WriteAllText(Path.Combine(run, "metrics.jsonl"),
            "{\"step\":1,\"epoch\":1,\"split\":\"train\",\"\\u0000\\u001b\\uffff<b>\":1}\n");
        Assert.Contains("\\u0000\\u001b\\uffff&lt;b&gt;", RunReport.Page(RunData.Load(run)));
    }

    private static byte[] Line(int epoch) =>
        System.Text.Encoding.UTF8.GetBytes($"{{\"step\":{epoch},\"epoch\":{epoch},\"split\":\"train\",\"loss\":null}}\n");
}
