using Rpat.Trainer.Studies;

namespace Rpat.Tests.Trainer.Studies;

public sealed class StudyReportTests
{
    // Differences of −8 and −9 points: t with one degree of freedom is 12.706, and the error of their mean 1/2.
    [Fact]
    public void FallsFromTheBestNetworkToTheLastAreComparedSeedBySeed()
    {
        string text = new StudyReport("x",
        [
            Row("base", "", 1, 0.6, "0.5"), Row("base", "", 2, 0.7, "0.55"), Row("base", "", 3, 0.7, ""),
            Row("term", "base", 1, 0.6, "0.58"), Row("term", "base", 2, 0.6, "0.54"),
        ]).Write("md");
        Assert.Contains("**Robust overfitting: pgd20, best network − last**", text);
        Assert.Matches(@"\| base +\| +2 \| +12\.5 ± 3\.5 \| +10\.0, 15\.0 \| +\| +\| +\|", text);
        Assert.Matches(@"\| term +\| +2 \| +4\.0 ± 2\.8 \| +2\.0, 6\.0 \| +base \| +−8\.50 \| −14\.85 to −2\.15 \|", text);
    }

    // Two values of four epochs: after the second and the fourth.
    [Fact]
    public void ValidationIsDrawnAtItsEpochs()
    {
        var chart = new StudyReport("x", [Row("base", "", 1, 0.6, "0.5", 4, "0.2 0.3")]).Charts().Single(one => one.Name == "validation").Chart;
        Assert.Equal(["base: 2, 20", "base: 4, 30"], chart.Descendants().Where(e => e.Name.LocalName == "circle").Select(e => e.Value));
    }

    private static StudyRecord Row(string variant, string against, int seed, double pgd, string last, int epochs = 1, string validation = "")
    {
        var values = StudyRecord.Columns.ToDictionary(column => column, _ => "");
        foreach (var (column, value) in ((string, FormattableString)[])
            [("variant", $"{variant}"), ("against", $"{against}"), ("seed", $"{seed}"), ("monitor", $"pgd20"), ("pgd", $"{pgd}"), ("last_pgd", $"{last}"),
                ("epochs", $"{epochs}"), ("validation", $"{validation}")]) values[column] = FormattableString.Invariant(value);
        return new(values, new[] { StudyRecord.Clean, StudyRecord.Pgd, StudyRecord.Robust }.ToDictionary(name => name, _ => new[] { true, false }));
    }
}
