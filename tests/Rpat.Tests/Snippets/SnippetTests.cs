using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using Rpat.Samples.Snippets;
using Rpat.Tests.Support;
using Rpat.Tests.Trainer;
using Rpat.Trainer.Cli;

namespace Rpat.Tests.Snippets;

/// <summary>What the documentation shows is what is compiled, and its commands are ones that the program understands.</summary>
public sealed partial class SnippetTests
{
    private const string FromSource = "dotnet run -c Release --project engine/Rpat.Trainer -- ";

    public static TheoryData<string> Pages =>
        ["README.md", .. Directory.GetFiles(Repository.File("docs"), "*.md").Select(path => "docs/" + Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void CodeThatNamesItsSourceStandsThere(string page)
    {
        string text = Read(page.Split('/'));
        foreach (Match block in SourcedBlocks().Matches(text))
        {
            string source = File.ReadAllText(Repository.File(block.Groups[1].Value.Split('/'))).ReplaceLineEndings("\n");
            Assert.True(source.Contains(block.Groups[2].Value, StringComparison.Ordinal),
                $"{page} shows code that {block.Groups[1].Value} does not have: {block.Groups[2].Value}");
        }
    }

    [Theory]
    [InlineData("docs/adding-an-op.md", 12)]
    [InlineData("docs/adding-an-attack.md", 3)]
    [InlineData("docs/adding-a-method.md", 2)]
    [InlineData("docs/adding-a-modifier.md", 4)]
    [InlineData("docs/adding-a-model.md", 2)]
    [InlineData("docs/adding-a-data-set.md", 1)]
    [InlineData("docs/coming-from-pytorch.md", 1)]
    public void EveryBlockOfThesePagesNamesItsSource(string page, int blocks)
    {
        string text = Read(page.Split('/'));
        Assert.Equal(blocks, SourcedBlocks().Count(text));
        Assert.Equal(blocks, Regex.Count(text, "^```csharp$", RegexOptions.Multiline));
    }

    [Fact]
    public void TheStepForThoseWhoComeFromPyTorchTrains() => Assert.InRange(PyTorchStep.Run(), 0.2, 5.0);

    [Fact]
    public void EveryCommandOfTheDocumentationIsUnderstood()
    {
        using var test = new TestHost();
        string[] lines = [.. Directory.GetFiles(Repository.File("docs"), "*.md").Append(Repository.File("README.md")).SelectMany(Commands)];
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            var parsed = App.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), test.Host);
            Assert.False(parsed.Action is ParseErrorAction, $"rpat {line}: {string.Join(' ', parsed.Errors.Select(e => e.Message))}");
        }
    }

    private static IEnumerable<string> Commands(string path) =>
        from Match block in ShellBlocks().Matches(File.ReadAllText(path).ReplaceLineEndings("\n"))
        from line in block.Groups[1].Value.Replace("\\\n", " ").Split('\n')
        let command = line.Split(" #")[0].Trim()
        let start = command.StartsWith("rpat ", StringComparison.Ordinal) ? 5
        : command.StartsWith(FromSource, StringComparison.Ordinal) ? FromSource.Length : 0
        where start > 0
        select command[start..];

    private static string Read(params string[] path) => File.ReadAllText(Repository.File(path)).ReplaceLineEndings("\n");

    [GeneratedRegex("^<!-- source: ([^ ]+) -->\n```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex SourcedBlocks();

    [GeneratedRegex("^```(?:bash|sh)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ShellBlocks();
}
