using System.Text.RegularExpressions;
using Rpat.Tests.Support;

namespace Rpat.Tests.Cases;

/// <summary>The guide to a new op says what an op has: each op of the contract has the files of its table.</summary>
public sealed partial class GuideTests
{
    private const string Node = "engine/Rpat.Engine/Ops/NAME.cs";

    private static readonly string[] _files =
        [.. Row().Matches(File.ReadAllText(Repository.File("docs", "adding-an-op.md"))).Select(row => row.Groups["file"].Value)];

    public static TheoryData<string> Ops =>
        [.. typeof(IKernels).GetInterfaces().Select(contract => contract.Name["I".Length..^"Kernels".Length])];

    [Fact]
    public void An_op_is_five_files_and_a_word()
    {
        Assert.Equal((5, 1), (_files.Count(IsMirrored), _files.Count(file => !IsMirrored(file))));
        Assert.Contains(Node, _files);
    }

    [Theory]
    [MemberData(nameof(Ops))]
    public void An_op_has_its_files(string op)
    {
        bool isRecorded = HasGradient(OpCases.All.Single(one => one.Op == op));
        foreach (string file in _files.Where(file => file != Node || isRecorded))
            Assert.True(File.Exists(Repository.File(file.Replace("NAME", op, StringComparison.Ordinal))), $"{op} has no {file}");
    }

    /// <summary>A loss's gradient is taken from its value.</summary>
    private static bool HasGradient(OpCases op)
    {
        using var device = Device.Cpu(1);
        return op.Category == "loss" || op.Ragged().First().Make(new TestTensors(device))
            .Any(one => one.Results.Any(result => result.Gradient is not null));
    }

    private static bool IsMirrored(string file) => file.Contains("NAME", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| \d\. .*\| `(?<file>[^`]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
