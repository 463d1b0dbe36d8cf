using System.Text.RegularExpressions;
using Rpat.Samples.Snippets;
using Rpat.Tests.Support;

namespace Rpat.Tests;

/// <summary>The programs that the pages show run, and are the ones that are tested.</summary>
[Collection(SerialCollection.Name)]
public partial class PublicApiTests
{
    [Fact]
    public void The_readmes_program_attacks_and_trains()
    {
        string[] lines = Output(ReadmeProgram.Run);
        Assert.Equal("moved by 8.0/255", lines[0]);
        Assert.Matches(@"^loss \d\.\d{4}$", lines[1]);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public void The_whole_program_learns_saves_loads_and_is_attacked()
    {
        string[] lines = Output(WholeProgram.Run);
        Assert.Matches(@"^loss 0\.[0-3]\d\d$", lines[0]);
        Assert.Equal("64 of 64 right", lines[1]);
        Assert.Matches(@"^eps 2/255: \d+ ?%, \d+ ?% to \d+ ?%$", lines[2]);
        Assert.Equal(4, lines.Length);
    }

    [Theory]
    [InlineData("README.md", "15 lines", "ReadmeProgram.cs")]
    [InlineData("docs/using-the-libraries.md", "whole program", "WholeProgram.cs")]
    public void A_page_shows_the_program_that_is_tested(string page, string heading, string program)
    {
        string text = File.ReadAllText(Repository.File(page.Split('/'))).ReplaceLineEndings("\n");
        string source = File.ReadAllText(Repository.File("samples", "Rpat.Samples.Snippets", program)).ReplaceLineEndings("\n");
        Assert.Equal(Marked(source), CodeBlock(text, heading));
    }

    /// <summary>The first C# block behind the heading.</summary>
    private static string CodeBlock(string page, string title)
    {
        var heading = Headings().Matches(page).FirstOrDefault(m => m.Value.Contains(title, StringComparison.Ordinal));
        Assert.True(heading is not null, $"There is no heading with '{title}'.");
        var block = Blocks().Match(page, heading.Index);
        Assert.True(block.Success, $"There is no ```csharp block behind the heading with '{title}'.");
        return block.Groups[1].Value;
    }

    /// <summary>The lines between the marks, each stretch moved to the left margin.</summary>
    private static string Marked(string source) =>
        string.Concat(Marks().Matches(source).Select(m => Dedented(m.Groups[2].Value, m.Groups[1].Length)));

    private static string Dedented(string text, int columns) =>
        string.Join('\n', text.Split('\n').Select(line => line.Length >= columns ? line[columns..] : line));

    private static string[] Output(Action program)
    {
        TextWriter console = Console.Out;
        using StringWriter captured = new();
        Console.SetOut(captured);
        try
        {
            program();
        }
        finally
        {
            Console.SetOut(console);
        }
        return captured.ToString().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [GeneratedRegex("^#.*$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex("^( *)// <readme>\n(.*?)^ *// </readme>", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Marks();
}
