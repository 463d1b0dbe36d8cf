using System.Xml.Linq;
using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

public sealed class SvgChartTests
{
    private static readonly ChartText _text = new("Loss & <accuracy>", "epoch", "percent");

    [Fact]
    public void Every_chart_is_sound_xml_that_scales_and_escapes()
    {
        foreach (var chart in Charts())
        {
            var read = XDocument.Parse(Svg.Standalone(chart)).Root!;
            Assert.NotNull(read.Attribute("viewBox"));
            Assert.Null(read.Attribute("width"));
            Assert.Contains(read.Descendants(Svg.Space + "text"), t => t.Value == _text.Title);
            Assert.Contains("prefers-color-scheme:dark", read.Element(Svg.Space + "style")!.Value);
            Assert.DoesNotContain("NaN", read.ToString());
        }
    }

    [Fact]
    public void Nothing_leaves_the_picture_and_no_two_texts_overlap()
    {
        foreach (var chart in Charts())
        {
            double[] box = [.. chart.Attribute("viewBox")!.Value.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
            var texts = chart.Descendants(Svg.Space + "text").Where(t => t.Attribute("transform") is null).Select(BoxOf).ToList();
            foreach (var (left, top, right, bottom) in texts)
                Assert.True(left >= 0 && top >= 0 && right <= box[2] && bottom <= box[3],
                    $"{left} {top} {right} {bottom} in {box[2]} x {box[3]}");
            for (int i = 0; i < texts.Count; i++)
                for (int j = 0; j < i; j++) Assert.False(Overlap(texts[i], texts[j]), $"{texts[i]} and {texts[j]}");
        }
    }

    [Fact]
    public void A_point_that_is_not_finite_leaves_a_gap()
    {
        var chart = SvgLineChart.Draw(_text, [new("a", [(0, 1), (1, 2), (2, double.NaN), (3, 1), (4, 2)])]);
        string path = chart.Descendants(Svg.Space + "path").Single().Attribute("d")!.Value;
        Assert.Equal(2, path.Count(c => c == 'M'));
        Assert.Equal(4, chart.Descendants(Svg.Space + "circle").Count());
    }

    [Fact]
    public void A_bar_is_as_high_as_its_value_and_tells_it()
    {
        var chart = SvgBarChart.Draw(_text, ["x"], [new("a", [2]), new("b", [1], [(0.5, 1.5)]), new("c", [double.NaN])]);
        var bars = chart.Descendants(Svg.Space + "rect").Where(r => r.Element(Svg.Space + "title") is not null).ToList();
        Assert.Equal(2, bars.Count);
        Assert.Equal(2, Height(bars[0]) / Height(bars[1]), 2);
        Assert.Equal("x, a: 2", bars[0].Element(Svg.Space + "title")!.Value);
        Assert.Single(chart.Descendants(Svg.Space + "line"), l => (string?)l.Attribute("class") == "whisker");
    }

    [Theory]
    [InlineData("pgd-at")]
    [InlineData("pgd-at+rpat, weight 10, start 60, model wideresnet34-10, seed 1")]
    public void Every_group_has_its_whole_name(string name)
    {
        string[] names = [.. Enumerable.Range(1, 6).Select(i => $"{name} {i}")];
        var chart = SvgBarChart.Draw(_text, names, [new("a", [1, 2, 3, 4, 5, 6])]);
        var texts = chart.Descendants(Svg.Space + "text").Select(text => text.Value).ToList();
        Assert.All(names, one => Assert.Contains(texts, text => text.EndsWith(one, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_single_bar_stands_over_its_name()
    {
        var chart = SvgBarChart.Draw(_text, ["x"], [new("a", [double.NaN]), new("b", [1])]);
        var bar = chart.Descendants(Svg.Space + "rect").Single(r => r.Element(Svg.Space + "title") is not null);
        double At(XElement one, string name) => double.Parse(one.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        Assert.Equal(At(chart.Descendants(Svg.Space + "text").Single(t => t.Value == "x"), "x"), At(bar, "x") + At(bar, "width") / 2, 1);
    }

    [Fact]
    public void A_histogram_counts_shares_of_each_series_own_values()
    {
        double[] shares = SvgHistogram.Shares([0, 0.1, 0.9, 5, double.NaN], 0, 1, 2);
        Assert.Equal([0.5, 0.5], shares);
        Assert.Equal([0.0, 0.0], SvgHistogram.Shares([], 0, 1, 2));
    }

    [Fact]
    public void Numbers_do_not_follow_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            string expected = string.Concat(Charts().Select(Svg.Inline));
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            german.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = german;
            Assert.Equal(expected, string.Concat(Charts().Select(Svg.Inline)));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static IEnumerable<XElement> Charts()
    {
        string[] methods = [.. Enumerable.Range(0, 20).Select(i => $"method-number-{i}")];
        var values = methods.Select((_, i) => 40.0 + i).ToArray();
        yield return SvgLineChart.Draw(_text, [new("loss", [(0, 2.3), (10, 0.4)]), new("diagonal", [(0, 0), (10, 1)], Dashed: true)]);
        yield return SvgBarChart.Draw(_text, [.. methods.Take(6).Select(m => $"{m}, weight 10, start 60")], [new("a", values[..6])]);
        yield return SvgLineChart.Draw(_text, [.. methods.Select(m => new LineSeries(m, [(1, 0.1), (2, 0.7)]))]);
        yield return SvgLineChart.Draw(_text, [new("none", [])]);
        yield return SvgLineChart.Draw(_text, [new("loss", [(0, 2.3), (10, 0.004)])], Axis.LogAround([2.3, 0.004]));
        yield return SvgBarChart.Draw(_text, methods, [new("clean", values, [.. values.Select(v => (v - 1, v + 1))]), new("aa", values)]);
        yield return SvgBarChart.Draw(_text, ["a"], [new("clean", [-0.01]), new("other", [1e-7])]);
        yield return SvgHistogram.Draw(_text, [new("success", [.. Enumerable.Range(0, 500).Select(i => i * 0.01)]), new("failure", [])]);
    }

    private static double Height(XElement bar) => double.Parse(bar.Attribute("height")!.Value, CultureInfo.InvariantCulture);

    private static (double Left, double Top, double Right, double Bottom) BoxOf(XElement text)
    {
        double Number(string name) => double.Parse(text.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        double size = Number("font-size"), width = 0.95 * Svg.WidthOf(text.Value, size), x = Number("x"), y = Number("y");
        double left = text.Attribute("text-anchor")!.Value switch { "start" => x, "end" => x - width, _ => x - width / 2 };
        return (left, y - 0.75 * size, left + width, y + 0.2 * size);
    }

    private static bool Overlap((double Left, double Top, double Right, double Bottom) a,
        (double Left, double Top, double Right, double Bottom) b) =>
        a.Left < b.Right && b.Left < a.Right && a.Top < b.Bottom && b.Top < a.Bottom;
}
