using System.Reflection;
using System.Text.RegularExpressions;
using Rpat.Tests.Support;
using Xunit.Abstractions;

namespace Rpat.Tests.House;

/// <summary>The rules of the house: folders are namespaces and layers, files are short, the engine and
/// the models stay within their lines.</summary>
public sealed partial class HouseTests(ITestOutputHelper output)
{
    private const int LongestFile = 400;

    private static readonly string[] _places = ["engine", "models"];
    private static readonly Dictionary<string, int> _budgets = new() { ["Rpat.Engine"] = 9_000, ["Rpat.Models"] = 1_500 };

    public static TheoryData<string> Projects => [.. Folders().Select(folder => Path.GetFileName(folder)!)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void FoldersAreLayers(string project) => None(new NamespaceGraph(Compiled(project)).Circles());

    [Theory]
    [MemberData(nameof(Projects))]
    public void ANamespaceIsItsFolder(string project) => None(
        from file in Sources(project)
        let folder = Path.GetRelativePath(Repository.Root, Path.GetDirectoryName(file)!).Replace('\\', '/')
        let expected = folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.')
        let found = NamespaceLine().Match(File.ReadAllText(file))
        where found.Success && found.Groups[1].Value != expected
        select $"{folder}/{Path.GetFileName(file)} is in {found.Groups[1].Value}");

    [Theory]
    [MemberData(nameof(Projects))]
    public void NoFileIsLong(string project) => None(
        from file in Sources(project)
        let lines = File.ReadLines(file).Count()
        where lines > LongestFile
        select $"{Path.GetRelativePath(Repository.Root, file)} has {lines} lines of at most {LongestFile}");

    [Fact]
    public void ProjectsStayWithinTheirLines()
    {
        var lines = Folders().ToDictionary(folder => Path.GetFileName(folder)!,
            folder => Sources(Path.GetFileName(folder)!).Sum(file => File.ReadLines(file).Count()));
        foreach (var (project, count) in lines.OrderByDescending(pair => pair.Value))
            output.WriteLine($"{project,-20} {count,6} lines{(_budgets.TryGetValue(project, out int most) ? $" of {most}" : "")}");
        output.WriteLine($"{"together",-20} {lines.Values.Sum(),6} lines");
        None(from budget in _budgets
             where lines[budget.Key] > budget.Value
             select $"{budget.Key} has {lines[budget.Key]} lines of {budget.Value}");
    }

    [Theory]
    [InlineData("Rpat.Engine")]
    [InlineData("Rpat.Nn")]
    [InlineData("Rpat.Robust")]
    public void TapesLossesAndStepsKnowAProcessGroupAndNoTransport(string project) => None(
        Compiled(project).GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => name == "Rpat.Distributed" || name.StartsWith("System.Net", StringComparison.Ordinal)));

    [Fact]
    public void ACircleIsFound() => Assert.Contains(
        new NamespaceGraph(typeof(HouseTests).Assembly, "Rpat.Tests.House").Circles(),
        circle => circle.StartsWith("Rpat.Tests.House.Upper -> Rpat.Tests.House.Lower", StringComparison.Ordinal));

    private static Assembly Compiled(string project) => Assembly.Load(project == "Rpat.Trainer" ? "rpat" : project);

    private static IEnumerable<string> Folders() =>
        from place in _places
        from file in Directory.EnumerateFiles(Repository.File(place), "*.csproj", SearchOption.AllDirectories)
        select Path.GetDirectoryName(file);

    /// <summary>The hand-written files of a project.</summary>
    private static IEnumerable<string> Sources(string project) =>
        from file in Directory.EnumerateFiles(Folders().Single(folder => Path.GetFileName(folder) == project), "*.cs",
        SearchOption.AllDirectories)
        where !file.EndsWith(".g.cs", StringComparison.Ordinal) && !Built().IsMatch(file)
        select file;

    private static void None(IEnumerable<string> problems)
    {
        string found = string.Join('\n', problems);
        Assert.True(found.Length == 0, found);
    }

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Built();
}
