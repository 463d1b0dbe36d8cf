using System.Text.RegularExpressions;
using Rpat.Samples.Snippets;
using Rpat.Tests.Support;

namespace Rpat.Tests;

/// <summary>The README's program runs, and is the one that is tested.</summary>
[Collection(SerialCollection.Name)]
public partial class PublicApiTests
{
    private const string Heading = "15 lines";

    [Fact]
    public void The_readmes_program_attacks_and_trains()
    {
        string[] lines = Output(ReadmeProgram.Run);
        Assert.Equal("moved by 8.0/255", lines[0]);
        Assert.Matches(@"^loss \d\.\d{4}$", lines[1]);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public void The_readme_shows_the_program_that_is_tested()
    {
        string readme = File.ReadAllText(Repository.File("README.md")).ReplaceLineEndings("\n");
        string source = File.ReadAllText(Repository.File("samples", "Rpat.Samples.Snippets", "ReadmeProgram.cs")).ReplaceLineEndings("\n");
        Assert.Equal(Marked(source), CodeBlock(readme));
    }

    /// <summary>The first C# block behind the heading.</summary>
    private static string CodeBlock(string readme)
    {
        var heading = Headings().Matches(readme).FirstOrDefault(m => m.Value.Contains(Heading, StringComparison.Ordinal));
        Assert.True(heading is not null, $"README.md has no heading with '{Heading}'.");
        var block = Blocks().Match(readme, heading.Index);
        Assert.True(block.Success, $"README.md has no ```csharp block behind the heading with '{Heading}'.");
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
