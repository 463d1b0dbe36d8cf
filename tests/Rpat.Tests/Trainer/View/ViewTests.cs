using System.Text.RegularExpressions;
using Rpat.Trainer.View;

namespace Rpat.Tests.Trainer.View;

public class ViewTests
{
    private static readonly ProgressSnapshot _snapshot = new(
        "train", 2, 3, 47, 94, 0.05, 1.512, [new Metric("adv", 1.43), new Metric("rpat", 0.08)],
        [new Metric("clean", 0.612), new Metric("adv", 0.4491)], 311.4, TimeSpan.FromSeconds(61), TimeSpan.FromSeconds(80));

    private static readonly EpochSummary _epoch = new(
        2, 3, 0.05, 1.5, [new Metric("adv", 1.42)], [new Metric("clean", 0.62)], 310, TimeSpan.FromMinutes(62));

    [Fact]
    public void PlainLinesAreKeyValuePairsInAnyCulture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            Assert.Equal(
                "phase=train epoch=2/3 step=47/94 lr=0.05 loss=1.512 loss_adv=1.43 loss_rpat=0.08 clean=61.20 adv=44.91 images_per_s=311.4 "
                + "elapsed=1m01s left=1m20s",
                PlainLines.Of(_snapshot));
            Assert.Equal(
                "epoch_done=2/3 lr=0.05 loss=1.5 loss_adv=1.42 clean=62.00 images_per_s=310 time=1h02m", PlainLines.Of(_epoch));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void ThePlainViewKeepsItsIntervalAndWritesNoEscapeCodes()
    {
        var clock = new FixedClock();
        var output = new StringWriter();
        var view = new PlainView(output, TimeSpan.FromSeconds(30), clock);
        view.Update(_snapshot);
        clock.Now += TimeSpan.FromSeconds(29);
        Assert.False(view.Due);
        view.Update(_snapshot);
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.True(view.Due);
        view.Update(_snapshot);
        view.Update(_snapshot);
        view.EpochDone(_epoch);
        view.Note("careful");
        Assert.Equal(3, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain('\u001b', output.ToString());
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(200)]
    public void ATerminalKeepsTheOrderOfLinesAndTheBarOnOneOfThem(int width)
    {
        var (screen, clock) = (new Screen(width), new FixedClock());
        using (var view = new LiveView(screen, () => width, colours: true, clock))
        {
            view.Note("before");
            for (int epoch = 1; epoch <= 2; epoch++)
            {
                clock.Now += TimeSpan.FromSeconds(1);
                view.Update(_snapshot with { MemoryBytes = 1L << 30 });
                Assert.Contains("47/94", screen.Lines[^1], StringComparison.Ordinal);
                Assert.Contains("left 1m20s", screen.Lines[^1], StringComparison.Ordinal);
                view.EpochDone(_epoch with { Epoch = epoch });
            }

            view.Warn("[careful]\u001b[2J");
            clock.Now += TimeSpan.FromSeconds(1);
            view.Update(_snapshot with { Phase = "eval pgd20" });
        }

        screen.Write("result");
        string[] lines = screen.Lines;
        Assert.Equal("before", lines[0]);
        Assert.Matches("^epoch .*loss", lines[1]);
        Assert.Matches("^ +1 .* 62.00", lines[2]);
        Assert.Matches("^ +2 .* 62.00", lines[3]);
        Assert.Equal("[careful]\\u001b[2J", lines[4]);
        Assert.Equal("result", lines[5]);
        Assert.Equal(6, lines.Length);
    }

    [Fact]
    public void TheHeadingsAreSaidAgainForNewColumnsAndAfterManyEpochs()
    {
        var screen = new Screen(80);
        using var view = new LiveView(screen, () => 80, colours: false, new FixedClock());
        view.EpochDone(_epoch);
        view.Note("saved");
        view.EpochDone(_epoch);
        view.EpochDone(_epoch with { LossParts = [] });
        for (int i = 0; i < 20; i++) view.EpochDone(_epoch with { LossParts = [] });
        int[] headings = [.. screen.Lines.Index().Where(line => line.Item.StartsWith("epoch", StringComparison.Ordinal))
            .Select(line => line.Index)];
        Assert.Equal([0, 4, 25], headings);
        Assert.Equal(screen.Lines[1], screen.Lines[3]);
    }

    [Fact]
    public void ANarrowTerminalLosesWhatMattersLeast()
    {
        var long5 = _snapshot with { MemoryBytes = 1L << 30 };
        for (int width = 0; width < 150; width++) Assert.InRange(BarLine.Of(long5, width).Length, 0, width);
        Assert.Equal("epoch 2/3  [=====>    ] 47/94  311.4 images/s  left 1m20s  loss 1.512  clean 61.20", BarLine.Of(long5, 88));
        Assert.Equal("epoch 2/3  47/94", BarLine.Of(long5, 20));
    }

    [Theory]
    [InlineData(0, 10, "[>                       ]")]
    [InlineData(5, 10, "[============>           ]")]
    [InlineData(10, 10, "[========================]")]
    [InlineData(11, 10, "[========================]")]
    [InlineData(0, 0, "[>                       ]")]
    public void TheBarFills(int done, int all, string expected) => Assert.Equal(expected, BarLine.Bar(done, all));

    [Fact]
    public void TheBarLineHasLossPartsAccuracyRateAndTimeLeft() => Assert.Equal(
        "epoch 2/3  [============>           ] 47/94  311.4 images/s  left 1m20s  lr 0.05  loss 1.512 (adv 1.43 + rpat 0.08)  "
        + "clean 61.20  adv 44.91",
        BarLine.Of(_snapshot));

    [Fact]
    public void MemoryIsShownWhereItIsKnown()
    {
        Assert.EndsWith("  mem 412 MiB", BarLine.Of(_snapshot with { MemoryBytes = 412L << 20 }), StringComparison.Ordinal);
        Assert.EndsWith("  mem 9.6 GiB", BarLine.Of(_snapshot with { MemoryBytes = 9_800L << 20 }), StringComparison.Ordinal);
        Assert.Contains(" memory_mib=412 ", PlainLines.Of(_snapshot with { MemoryBytes = 412L << 20 }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-3, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(206, "3m26s")]
    [InlineData(9660, "2h41m")]
    [InlineData(180_000, "2d02h")]
    public void DurationsHaveTwoUnits(double seconds, string expected) =>
        Assert.Equal(expected, Format.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void TheResultTableAddsMeanAndNrr()
    {
        var output = new StringWriter { NewLine = "\n" };
        var result = new EvaluationResult(1000, "linf eps 8/255", [new("Clean", true, 0.84), new("PGD-20", false, 0.777)]);
        ResultTable.Write(result, output);
        Assert.Equal(
            "    Clean   PGD-20     Mean      NRR\n    84.00    77.70    80.85    80.73\n"
            + "  on 1000 held-out images, linf eps 8/255, in percent\n",
            output.ToString());
    }

    [Fact]
    public void WithoutAnAttackThereIsNoMean() =>
        Assert.Equal(["Clean"], new EvaluationResult(1, "", [new("Clean", true, 1)]).Columns().Select(column => column.Title));

    /// <summary>As much of a terminal as the view needs: lines of a width that wrap, carriage return, erasing, colours.</summary>
    private sealed class Screen(int width) : StringWriter
    {
        public string[] Lines
        {
            get
            {
                List<StringBuilder> lines = [new()];
                (int column, bool wraps) = (0, true);
                foreach (Match piece in Regex.Matches(ToString(), "\u001b\\[([?0-9;]*)([A-Za-z])|.|\n", RegexOptions.Singleline))
                {
                    string text = piece.Value;
                    if (text[0] == '\u001b') (wraps, column) = Control(text, lines[^1], wraps, column);
                    else if (text == "\r") column = 0;
                    else if (text == "\n") Break();
                    else Put(text[0]);
                }

                return [.. lines.Select(line => line.ToString().TrimEnd())];

                void Break()
                {
                    lines.Add(new());
                    column = 0;
                }

                void Put(char c)
                {
                    if (column == width && wraps) Break();
                    if (lines[^1].Length > column) lines[^1][column] = c;
                    else lines[^1].Append(c);
                    column++;
                }
            }
        }

        private static (bool Wraps, int Column) Control(string code, StringBuilder line, bool wraps, int column)
        {
            if (code == "\u001b[K") line.Length = Math.Min(line.Length, column);
            return (code switch { "\u001b[?7l" => false, "\u001b[?7h" => true, _ => wraps }, column);
        }
    }
}
