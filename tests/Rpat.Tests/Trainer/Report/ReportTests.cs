using System.Text.RegularExpressions;
using Rpat.Tests.IO;
using Rpat.Tests.Support;
using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

/// <summary>The HTML reports, by their text everywhere, and rendered where Chromium is installed.</summary>
public sealed partial class ReportTests(ReportFixture fixture) : IClassFixture<ReportFixture>
{
    [Fact]
    public void AFinishedRunHasItsReport()
    {
        string html = File.ReadAllText(Path.Combine(fixture.Second, RunContents.Report));
        Assert.Contains("finished</span>", html, StringComparison.Ordinal);
        Assert.Contains("PGD-2", html, StringComparison.Ordinal);
        Assert.Contains("by PGD alone", html, StringComparison.Ordinal);
        Assert.Equal(3, Charts().Count(html));
    }

    [Fact]
    public void EverythingThatWasMeasuredIsShownWithItsInterval()
    {
        string html = Page(fixture.First);
        Assert.Contains(">AA", html, StringComparison.Ordinal);
        Assert.Contains("after APGD-CE", html, StringComparison.Ordinal);
        Assert.Contains("95 % interval", html, StringComparison.Ordinal);
        Assert.DoesNotContain("by PGD alone", html, StringComparison.Ordinal);
        Assert.Contains("Distance of the logits from clean", html, StringComparison.Ordinal);
        Assert.Contains("attack.eps", html, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingIsLoadedFromElsewhereAndNothingRuns()
    {
        foreach (string html in new[] { Page(fixture.First), Page(fixture.First, fixture.Second) })
        {
            Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Links().Matches(html).Select(m => m.Value), link => link != "http://www.w3.org/2000/svg");
            Assert.All(Pngs().Matches(html), m => PngReader.Pixels(Convert.FromBase64String(m.Groups[1].Value)));
        }
    }

    [Fact]
    public void AComparisonNamesWhatDiffers()
    {
        string html = Page(fixture.First, fixture.Second);
        Assert.Contains("2 runs compared", html, StringComparison.Ordinal);
        Assert.Contains("<td>method.name</td><td>pgd-at+rpat</td><td>pgd-at</td>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("measured by different attacks", html, StringComparison.Ordinal);
        Assert.Matches("AA[^<]* on 3 images of ", html);
    }

    [Fact]
    public void AComparisonPairsTheImagesAndNamesTheMethods()
    {
        string html = Page(fixture.First, fixture.Second);
        Assert.Contains("McNemar", html, StringComparison.Ordinal);
        Assert.Matches(@"<td data-label=""First"">pgd-at\+rpat</td><td data-label=""Second"">pgd-at</td>"
            + @"<td data-label=""Attack"">Clean</td><td data-label=""Images"">4</td>", html);
        Assert.Contains("PGD-2, linf eps 8/255", html, StringComparison.Ordinal);
        Assert.Matches(@"class=""chart"".*training, attacked images.*% of images.*>pgd-at\+rpat</text>.*>pgd-at</text>", html);
        Assert.DoesNotContain("pgd-at-rpat</text>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void APictureNamesTheTrueAndThePredictedClassOfEachColumn() =>
        Assert.Matches("<div class=\"names\" style=\"grid-template-columns:repeat\\(3,1fr\\)\">"
            + "(<span class=\"(good|bad)\">[^<]+ → [^<]+</span>){3}</div>", Page(fixture.First));

    [Fact]
    public void TheNextStepIsAutoAttackThenTheComparison()
    {
        Assert.Equal($"rpat eval {fixture.Second} --attacks clean,pgd20,aa --n 100", NextStep.Of(fixture.Second, fixture.Second));
        Assert.Equal($"{NextStep.Of(fixture.Second, fixture.Second)}  # pgd-at, to compare", NextStep.Of(fixture.First, fixture.First));
    }

    // Beside a cross-entropy of 2 a term of 0.001 would be a line at zero.
    [Fact]
    public void LossTermsOfAnotherScaleHaveAChartOfTheirOwn()
    {
        MetricEvent Epoch(int epoch, double term) =>
            new("train", epoch, epoch, [new("loss", 2), new("ce", 2), new("rpat", term)]);
        string Page(double term) => RunReport.Page(new RunData("f", "n", null, [], [Epoch(1, term), Epoch(2, term / 2)], [], [], [], []));
        Assert.Contains(">Small loss terms: training, loss term rpat<", Page(0.001), StringComparison.Ordinal);
        Assert.DoesNotContain("Small loss terms", Page(0.5), StringComparison.Ordinal);
    }

    [Fact]
    public void OfManyWarningsTheFirstAreUnfolded()
    {
        string html = Html.Warnings([.. Enumerable.Range(1, 11).Select(i => $"warning {i}")]);
        Assert.Equal(11, html.Split("<li>").Length - 1);
        Assert.Contains("<li>warning 4</li>\n</ul>\n<details><summary>7 more</summary>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<details>", Html.Warnings(["one"]), StringComparison.Ordinal);
        Assert.Equal("", Html.Warnings([]));
    }

    [Fact]
    public void TextsAreNotMarkup() => Assert.Equal("&lt;b&gt; &amp; &quot;", Html.Text("<b> & \""));

    [Fact]
    public void AFolderThatIsNoRunIsRefused()
    {
        Assert.Equal(2, fixture.Test.Run("report", fixture.Test.PathOf("nothing")));
        Assert.Contains("there is no run", fixture.Test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void PagesAreMadeForPhonesAndPaper()
    {
        foreach (string html in Pages())
        {
            Assert.Contains("width=device-width", html, StringComparison.Ordinal);
            Assert.Contains("@media print", html, StringComparison.Ordinal);
            Assert.All(ViewBoxes().Matches(html), m =>
                Assert.InRange(int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), 300, 700));
        }
    }

    [FactWith(Need.Browser)]
    public void PagesRenderWithoutOverlapsAtDesktopAndPhoneWidth()
    {
        (string Html, int Width)[] views = [.. from html in Pages() from width in new[] { 1280, 390 } select (html, width)];
        var layouts = Browser.Look(views, fixture.Test.Folder);
        Assert.Equal(views.Length, layouts.Length);
        foreach (var ((html, width), layout) in views.Zip(layouts))
        {
            Assert.Empty(layout.Overlaps);
            Assert.InRange(layout.Width, 1, width);
            Assert.True(layout.Charts >= 3 && (layout.Pictures >= 1 || html == Perception));
            Assert.Equal(layout.Pictures, layout.Loaded);
            Assert.InRange(layout.Letters, 10, 20);
        }
    }

    private string Perception => File.ReadAllText(Path.Combine(fixture.First, "perception", "perception.html"));

    private string[] Pages() => [Page(fixture.First), Page(fixture.First, fixture.Second), Perception];

    private string Page(params string[] runs)
    {
        string path = fixture.Test.PathOf("page.html");
        Assert.Equal(0, fixture.Test.Run(["report", .. runs, "-o", path]));
        return File.ReadAllText(path);
    }

    [GeneratedRegex("<svg class=\"chart\"")]
    private static partial Regex Charts();

    [GeneratedRegex("https?://[^\"' )<]*")]
    private static partial Regex Links();

    [GeneratedRegex("data:image/png;base64,([^\"]*)")]
    private static partial Regex Pngs();

    [GeneratedRegex("viewBox=\"0 0 ([0-9]+) ")]
    private static partial Regex ViewBoxes();
}
