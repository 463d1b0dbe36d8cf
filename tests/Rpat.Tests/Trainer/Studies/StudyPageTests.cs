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
        string now = Blocks().Replace(text, block =>
            $"{block.Groups[1].Value}\n{Report(block.Groups[2].Value)?.Write("md")}{block.Groups[3].Value}");
        if (Environment.GetEnvironmentVariable("RPAT_APPROVE") == "1") File.WriteAllText(_page, now);
        else Assert.Equal(now, text);
        foreach (Match block in Blocks().Matches(text))
            foreach (var (name, chart) in Report(block.Groups[2].Value)?.Charts() ?? [])
                Same(Path.Combine(_folder, $"{block.Groups[2].Value}-{name}.svg"), Svg.Standalone(chart));
    }

    private static StudyReport? Report(string study) => new StudyFile(Path.Combine(_folder, study + ".csv")).Read() is { Count: > 0 } rows
        ? new(study, rows) : null;

    private static void Same(string file, string text)
    {
        if (Environment.GetEnvironmentVariable("RPAT_APPROVE") == "1") File.WriteAllText(file, text);
        else Assert.Equal(text, File.ReadAllText(file));
    }

    [GeneratedRegex(@"(<!-- rows of ([\w-]+) -->)\n.*?(<!-- end -->)", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
