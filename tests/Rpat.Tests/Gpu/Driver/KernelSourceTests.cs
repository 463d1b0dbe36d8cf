using System.Text.RegularExpressions;
using Rpat.Tests.Support;

namespace Rpat.Tests.Gpu.Driver;

/// <summary>
/// Kernels call nothing that ILGPU would take from NVIDIA's LibDevice or from its algorithms: LibDevice does not compile for the newest
/// GPUs, the algorithms take too many registers, and CopySign of ILGPU 1.5.3 has its arguments swapped.
/// </summary>
public partial class KernelSourceTests
{
    /// <summary>What becomes one PTX instruction, or is called by the host's part of a file.</summary>
    private static readonly string[] _allowed =
        ["Math.Max", "Math.Min", "Math.Clamp", "Math.Sqrt", "Math.PI", "MathF.Sqrt", "IntrinsicMath.Max", "IntrinsicMath.Min"];

    [Theory]
    [InlineData("Kernels")]
    [InlineData("Primitives")]
    [InlineData("Ptx")]
    public void No_kernel_needs_a_library(string folder)
    {
        string[] files = Directory.GetFiles(Repository.File("engine", "Rpat.Engine.Gpu", folder), "*.cs");
        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(file => Calls(File.ReadAllText(file)).Select(call => $"{Path.GetFileName(file)}: {call}")));
    }

    [Fact]
    public void No_context_asks_for_a_library()
    {
        string root = Repository.File("engine", "Rpat.Engine.Gpu");
        var files = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(root, file).StartsWith("obj", StringComparison.Ordinal));
        Assert.DoesNotContain(files, file => ContextPattern().IsMatch(File.ReadAllText(file)));
    }

    [Theory]
    [InlineData("x = Math.CopySign(a, b);", "Math.CopySign")]
    [InlineData("x = MathF.Exp(a);", "MathF.Exp")]
    [InlineData("x = XMath.Log(a);", "XMath.Log")]
    [InlineData("x = float.CopySign(a, b);", "float.CopySign")]
    [InlineData("x = LibDevice.Expf(a);", "LibDevice.Expf")]
    [InlineData("x = Math.Max(a, b); // Math.Exp", null)]
    public void A_call_would_be_seen(string source, string? call) => Assert.Equal(call is null ? [] : [call], Calls(source));

    private static IEnumerable<string> Calls(string source) =>
        CallPattern().Matches(CommentPattern().Replace(source, "")).Select(match => match.Value).Except(_allowed);

    [GeneratedRegex(@"\b(Math|MathF|XMath|IntrinsicMath|LibDevice)\.\w+|\b(float|double)\.(CopySign|Exp|Log|Pow|Sin|Cos|Tan|Round)\w*")]
    private static partial Regex CallPattern();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex CommentPattern();

    [GeneratedRegex(@"\.(LibDevice|EnableAlgorithms|Math)\(")]
    private static partial Regex ContextPattern();
}
