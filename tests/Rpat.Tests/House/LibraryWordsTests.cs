using System.Text.RegularExpressions;
using Rpat.Tests.Support;
using Rpat.Trainer.Output;

namespace Rpat.Tests.House;

/// <summary>
/// A program that embeds the libraries has no command line: their messages name no option. The tool puts its options where they help.
/// </summary>
public sealed partial class LibraryWordsTests
{
    // What only the tool's commands call, and what it prints.
    private static readonly string[] _ofTheTool =
    [
        "Config/CatalogNames.cs", "CostEstimate.cs", "Data/SynthOrder.cs", "Distributed/Launcher.cs", "Errors/ErrorReport.cs",
        "Evaluation/", "Config/RecipeText.cs", "Runs/RunDataSet.cs", "Weights/NetworkFile.cs", "Weights/WeightSearch.cs",
    ];

    private static readonly string[] _libraries =
    [
        "engine/Rpat.Distributed", "engine/Rpat.Engine", "engine/Rpat.Engine.Gpu", "engine/Rpat.Formats", "engine/Rpat.Nn",
        "engine/Rpat.Robust", "engine/Rpat.Training", "models/Rpat.Models",
    ];

    public static TheoryData<string> Libraries => [.. _libraries];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void NoMessageOfALibraryNamesAnOption(string library)
    {
        string[] found =
        [
            .. from file in Sources(library)
               where !_ofTheTool.Any(own => file.StartsWith($"{library}/{own}", StringComparison.Ordinal))
               from line in File.ReadLines(Repository.File(file.Split('/')))
               where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && Option().IsMatch(line)
               select $"{file}: {line.Trim()}",
        ];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    [Fact]
    public void EveryPhraseThatTheToolTranslatesIsALibrarys()
    {
        string all = string.Concat(_libraries.SelectMany(Sources).Select(file =>
            Joints().Replace(File.ReadAllText(Repository.File(file.Split('/'))), "")));
        Assert.All(ErrorOutput.Words, words => Assert.Contains(words, all, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a.b is '1' (x) where run 'r' has '2', which would change its result: "
        + "give the same value, or start a new run under another run.name.",
        "give the same value, start a new run, or insist with --allow-change a.b.")]
    [InlineData("'e' holds an evaluation already: go on with resume: true, or choose another folder for it.",
        "go on with --resume, or choose another --out.")]
    [InlineData("no run folder can be made in 'r' (it is a file): choose another folder as run.out.", "choose another folder with --out.")]
    [InlineData("ONNX export does not know the op Gelu: docs/adding-a-model.md lists those it knows.",
        "the op Gelu: 'rpat docs adding-a-model' lists those it knows.")]
    [InlineData("'x.pt' does not hold the weights of vgg16: 3 missing; choose another model.",
        "another --model, or take what fits with --no-strict.")]
    public void TheToolNamesItsOptions(string sentence, string end)
    {
        var output = new StringWriter();
        ErrorOutput.Print(new DataException(sentence), output);
        Assert.EndsWith(end, output.ToString().TrimEnd(), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Sources(string library) =>
        from file in Directory.EnumerateFiles(Repository.File(library.Split('/')), "*.cs", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
        where !name.Contains("/obj/", StringComparison.Ordinal) && !name.Contains("/bin/", StringComparison.Ordinal)
        select name;

    // A string of several words with an option in it; a single word is a name.
    [GeneratedRegex("\"[^\"]*(\\s--[a-z]|--[a-z-]+[\\s,.;:)])[^\"]*\"")]
    private static partial Regex Option();

    // Where a sentence goes on in the next line.
    [GeneratedRegex("\"\\s*\\+\\s*\\$?\"")]
    private static partial Regex Joints();
}
