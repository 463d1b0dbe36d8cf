using System.Text.RegularExpressions;
using Rpat.Tests.Support;
using Rpat.Trainer.Report;
using Rpat.Trainer.Studies;

namespace Rpat.Tests.Trainer.Studies;

/// <summary>The page about RPAT shows what the committed rows say and nothing else; RPAT_APPROVE=1 writes it from them.</summary>
public sealed partial class StudyPageTests
{
    private static readonly string _page = Repository.File("docs", "does-rpat-help.md"), _folder = Repository.File("docs", "study");

    [Fact]
    public void TablesAndChartsAreThoseOfTheRows()
    {
        string text = File.ReadAllText(_page).ReplaceLineEndings("\n");
        Assert.NotEmpty(Blocks().Matches(text));
        Same(_page, Blocks().Replace(text, block => $"{block.Groups[1].Value}\n{Shown(block.Groups[2].Value)}{block.Groups[3].Value}"));
    }

    // The tables, and the charts as files.
    private static string Shown(string study)
    {
        if (new StudyFile(Path.Combine(_folder, study + ".csv")).Read() is not { Count: > 0 } rows) return "No rows yet.\n";
        var report = new StudyReport(study, rows);
        var text = new StringBuilder(report.Write("md"));
        foreach (var (name, chart) in report.Charts())
        {
            Same(Path.Combine(_folder, $"{study}-{name}.svg"), Svg.Standalone(chart));
            text.Append($"\n![{chart.Attribute("aria-label")!.Value}](study/{study}-{name}.svg)\n");
        }
        return text.ToString();
    }

    private static void Same(string file, string text)
    {
        if (Environment.GetEnvironmentVariable("RPAT_APPROVE") == "1") File.WriteAllText(file, text);
        else Assert.Equal(text, File.ReadAllText(file).ReplaceLineEndings("\n"));
    }

    [GeneratedRegex(@"(<!-- rows of ([\w-]+) -->)\n.*?(<!-- end -->)", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
