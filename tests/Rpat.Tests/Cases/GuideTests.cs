using System.Text.RegularExpressions;
using Rpat.Tests.Support;

namespace Rpat.Tests.Cases;

/// <summary>The guide to a new op says what an op has: each op of the contract has the files of its table, and the table knows no more.</summary>
public sealed partial class GuideTests
{
    private static readonly string[] _files =
        [.. Row().Matches(File.ReadAllText(Repository.File("docs", "adding-an-op.md"))).Select(row => row.Groups["file"].Value)];

    public static TheoryData<string> Ops => [.. typeof(IKernels).GetInterfaces().Select(contract => contract.Name["I".Length..^"Kernels".Length])];

    [Fact]
    public void An_op_is_five_files_and_a_word() => Assert.Equal((5, 1), (_files.Count(IsMirrored), _files.Count(file => !IsMirrored(file))));

    [Theory]
    [MemberData(nameof(Ops))]
    public void An_op_has_its_files(string op) =>
        Assert.All(_files, file => Assert.True(File.Exists(Repository.File(file.Replace("NAME", op, StringComparison.Ordinal))), file));

    private static bool IsMirrored(string file) => file.Contains("NAME", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| \d\. .*\| `(?<file>[^`]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
