using System.Text.RegularExpressions;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>The PTX text of a kernel, and the properties that an audit checks.</summary>
public sealed partial record PtxKernel(string Name, string Text)
{
    /// <summary>The verdict on a kernel without a problem.</summary>
    public const string Ok = "ok";

    /// <summary>Why a struct that it is made of cannot be compiled; null if it can.</summary>
    public string? Refused { get; init; }

    /// <summary>The kernel's name, such as PackLine-Tf32.</summary>
    internal static string NameOf(Type kernel) =>
        string.Join('-', kernel.GetGenericArguments().Select(argument => argument.Name).Prepend(kernel.Name.Split('`')[0]));

    /// <summary>The problem, or <see cref="Ok"/>.</summary>
    public string Verdict => this switch
    {
        { Refused: { } why } => why,
        { DenormalConstants: > 0 } => "has a denormal constant, as the compiler makes of (a == b ? 1 : 0): write if (a == b) x += 1",
        { UsesLocalMemory: true } => "uses local memory",
        { Calls: true } => "calls a library function",
        { GenericAccesses: > 0 } => "has accesses of unknown address space",
        { MismarkedBranches: > 0 } => "marks branches as uniform that are not",
        _ when (TensorProducts, AsyncCopies) != Written(Name) => "has not the products and copies that it was written with",
        { QuadAccesses: 0 } when Name.Contains("Gemm", StringComparison.Ordinal) => "moves no 128 bits at once",
        _ => Ok,
    };

    // Expected mma instructions in one step of the loop, and expected cp.async instructions in the
    // two steps before the loop and the one in it.
    private static (int Products, int Copies) Written(string kernel) => kernel.Split('-') switch
    {
        ["ConvTensorGemm", "Bf16", "Plain", var tile] => tile == "Wide" ? (64, 24) : (32, 18),
        ["ConvTensorGemm", .., "Wide"] => (64, 12),
        ["ConvTensorGemm", ..] => (32, 6),
        ["WeightTf32Gemm", ..] => (32, 0),
        ["WeightBf16Gemm", var view] => (32, view switch { "Plain" => 18, "Mixed" => 12, _ => 6 }),
        ["ProductChains", ..] => (16, 0),
        _ => (0, 0),
    };

    /// <summary>Whether anything is in local memory, that is, off the chip instead of in registers.</summary>
    public bool UsesLocalMemory => Text.Contains(".local", StringComparison.Ordinal);

    /// <summary>
    /// Floating-point constants other than zero whose exponent is zero. None of our kernels needs one; ILGPU 1.5.3 turns the 1 in
    /// <c>x - (j == label ? 1 : 0)</c> into 2⁻¹⁰⁷⁴, because it takes an integer's bits for those of a floating-point number.
    /// </summary>
    public int DenormalConstants => DenormalPattern().Count(Text);

    /// <summary>Whether it calls a function, which would have to come from a library.</summary>
    public bool Calls => CallPattern().IsMatch(Text);

    /// <summary>Loads and stores whose address space the compiler did not infer.</summary>
    public int GenericAccesses => GenericPattern().Count(Text);

    /// <summary>128-bit loads and stores.</summary>
    public int QuadAccesses => QuadPattern().Count(Text);

    /// <summary>Products on tensor cores.</summary>
    public int TensorProducts => TensorPattern().Count(Text);

    /// <summary>Copies from global to shared memory that use no registers (cp.async).</summary>
    public int AsyncCopies => AsyncPattern().Count(Text);

    /// <summary>Branches that are marked uniform and may not be.</summary>
    public int MismarkedBranches => PtxBranches.CountMismarked(Text);

    [GeneratedRegex(@"\b0[dD][08]00(?!0{13}\b)[0-9a-fA-F]{13}\b|\b0[fF][08]0(?!0{6}\b)[0-7][0-9a-fA-F]{5}\b")]
    private static partial Regex DenormalPattern();

    [GeneratedRegex(@"\bcall\b")]
    private static partial Regex CallPattern();

    [GeneratedRegex(@"\b(ld|st)\.(v[24]\.)?[bfsu]\d+")]
    private static partial Regex GenericPattern();

    [GeneratedRegex(@"\b(ld|st)\.(global|shared)\.v4\.")]
    private static partial Regex QuadPattern();

    [GeneratedRegex(@"\bcp\.async\.c[ag]\.shared\.global\b")]
    private static partial Regex AsyncPattern();

    [GeneratedRegex(@"\bmma\.sync\b")]
    private static partial Regex TensorPattern();
}
