using System.Text.RegularExpressions;
using ILGPU.Backends.PTX;
using Rpat.Engine.Gpu.Kernels;
using Rpat.Engine.Gpu.Ptx;
using Rpat.PtxMachine;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>The text of every kernel, as a GPU gets it.</summary>
public partial class KernelTextTests
{
    public static TheoryData<Type> Kernels => [.. KernelPrograms.Types];

    /// <summary>The audit of the product, that of the machine, and the machine itself, which runs
    /// only what our kernels have need of.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_audits_and_the_machine_take_it(Type kernel)
    {
        var text = KernelPrograms.Text(kernel);
        Assert.Equal(PtxKernel.Ok, text.Verdict);
        Assert.Empty(PtxAudit.Forbidden(text.Name, text.Text));
        Assert.Equal(text.Name, KernelPrograms.Of(kernel).Name);
    }

    /// <summary>Kernels that find where each term of a sum lies by dividing, where a sum is short or a small part of the work.</summary>
    private static readonly Type[] _dividing = [typeof(BinarySums<>), typeof(ResampleValue)];

    /// <summary>The assembler makes some twenty instructions of a division or remainder, even by a constant power of two.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void No_loop_divides(Type kernel)
    {
        bool divides = PtxAudit.LoopDivisions(kernel.Name, KernelPrograms.Text(kernel).Text).Count > 0;
        Assert.Equal(_dividing.Contains(kernel.IsGenericType ? kernel.GetGenericTypeDefinition() : kernel), divides);
    }

    /// <summary>What runs here for sm_80 is what a newer GPU gets.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void It_is_the_same_on_sm_90(Type kernel) =>
        Assert.Equal(Unnumbered(KernelPrograms.Text(kernel, 80)), Unnumbered(KernelPrograms.Text(kernel, 90)));

    /// <summary>Size and alignment of the arguments are those of the struct in C, and each load takes
    /// a whole number or half of a view.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void Its_arguments_lie_where_it_reads_them(Type kernel)
    {
        var layout = ParameterLayout.Of(kernel);
        string text = KernelPrograms.Text(kernel).Text;
        var block = BlockPattern().Matches(text).Single();
        Assert.Equal((layout.Alignment, layout.Bytes), (Number(block, "align"), Number(block, "bytes")));
        Assert.Equal(layout.Bytes, Bytes(kernel));
        foreach (Match load in LoadPattern().Matches(text))
            Assert.True(layout.Fields.Any(field => IsWhole(field, load)), $"{kernel} loads what is no argument: {load.Value}");
    }

    /// <summary>Newer drivers understand newer instruction sets; the text that is written here must
    /// be one that ILGPU writes for them.</summary>
    [Fact]
    public void Its_instruction_set_is_one_that_ILGPU_gives_to_a_driver()
    {
        string[] sets = [.. PTXCodeGenerator.SupportedInstructionSets.Select(set => set.ToString())];
        Assert.Contains(VersionPattern().Match(KernelPrograms.Text(KernelPrograms.Types[0]).Text).Groups[1].Value, sets);
    }

    private static bool IsWhole(ParameterField field, Match load)
    {
        int offset = load.Groups["offset"].Success ? Number(load, "offset") : 0, bytes = Number(load, "bits") / 8;
        bool isFloat = load.Groups["kind"].Value == "f";
        if (field.IsView) return !isFloat && bytes == sizeof(long) && (offset == field.Offset || offset == field.Offset + sizeof(long));
        return offset == field.Offset && bytes == field.Bytes && isFloat == (field.Type == typeof(float) || field.Type == typeof(double));
    }

    private static int Bytes(Type kernel) =>
        ((byte[])typeof(ParameterBlocks).GetMethod(nameof(ParameterBlocks.OfNothing))!.MakeGenericMethod(kernel).Invoke(null,
        null)!).Length;

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static string Unnumbered(PtxKernel kernel) => NumberPattern().Replace(kernel.Text, "");

    [GeneratedRegex(@"\.param \.align (?<align>\d+) \.b8 \w+\[(?<bytes>\d+)\]")]
    private static partial Regex BlockPattern();

    [GeneratedRegex(@"\bld\.param\.(?<kind>[bfsu])(?<bits>\d+)\s+[^,]+, \[\w+(\+(?<offset>\d+))?\];")]
    private static partial Regex LoadPattern();

    [GeneratedRegex(@"\.version (\S+)")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"(?<=_kernel_|L_)\d+|\.target sm_\d+")]
    private static partial Regex NumberPattern();
}
