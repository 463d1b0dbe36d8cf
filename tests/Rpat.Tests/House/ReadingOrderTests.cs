using System.Text.RegularExpressions;
using Rpat.Tests.Support;

namespace Rpat.Tests.House;

/// <summary>Whoever reads the trainer opens few files, each of which is there.</summary>
public sealed partial class ReadingOrderTests
{
    [Theory]
    [InlineData("From `rpat train` to the first step", 20)]
    [InlineData("A step of RPAT", 25)]
    public void TheFilesOnTheWayAreThereAndFew(string start, int most)
    {
        string page = File.ReadAllText(Repository.File("docs", "architecture.md")).ReplaceLineEndings("\n");
        var table = Table().Match(page, page.IndexOf(start, StringComparison.Ordinal));
        string[] files = [.. Names().Matches(table.Value).Select(name => name.Groups[1].Value).Distinct()];
        Assert.InRange(files.Length, most / 2, most);
        Assert.All(files, file => Assert.True(File.Exists(Repository.File(file.Split('/'))),
            $"docs/architecture.md lists {file}, which is not there"));
    }

    [GeneratedRegex(@"\n\|(.+\n\|)+.+\n")]
    private static partial Regex Table();

    [GeneratedRegex(@"`([\w./]+\.cs)`")]
    private static partial Regex Names();
}
