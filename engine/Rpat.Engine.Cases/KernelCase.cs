namespace Rpat.Engine.Cases;

/// <summary>One launch and the results it must leave.</summary>
/// <param name="Name">Kernel, and its size where a case has several.</param>
public sealed record KernelCase(string Name, Action<IKernels> Run, params CaseResult[] Results)
{
    /// <summary>The methods of the kernel contract that this case tests.</summary>
    public required IReadOnlyList<string> Covers { get; init; }

    /// <summary>Floating-point operations of a convolution, a multiply-add counted as two; 0 for memory-bound kernels.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes that must move at least.</summary>
    public double Bytes { get; init; }

    /// <summary>The matrix product that the launch corresponds to, or null.</summary>
    public GemmSize? Gemm { get; init; }

    /// <summary>The error that rounding to float may cause.</summary>
    public Tolerance Tolerance { get; init; } = new(1e-5, 1e-11);

    /// <summary>Whether the CPU and the kernels must give the same bits, unless an assembler joins their operations.</summary>
    public bool SameBits { get; init; }
}

/// <summary>The result of a launch in one tensor.</summary>
/// <param name="Expected">In double precision, from the contents of all tensors before the launch.</param>
public sealed record CaseResult(TestTensor Target, Func<Array4> Expected)
{
    /// <summary>The part of the tensor that <see cref="Expected"/> covers, where all of it would take too long; null for all.</summary>
    public Func<Array4, Array4>? Part { get; init; }

    /// <summary>The function whose gradient this is; null if it is not a gradient.</summary>
    public GradientOf? Gradient { get; init; }

    /// <summary>A gradient that is stored, or added to the tensor's contents.</summary>
    /// <param name="by">The variable of the derivative.</param>
    /// <param name="loss">The function of <paramref name="by"/>.</param>
    public static CaseResult GradientBy(TestTensor target, bool add, Func<Array4> gradient, TestTensor by, Func<double> loss) =>
        Sum(target, add, gradient) with { Gradient = new(gradient, by.Values, loss) };

    /// <summary>Values that are stored, or added to the tensor's contents.</summary>
    public static CaseResult Sum(TestTensor target, bool add, Func<Array4> values, Func<Array4, Array4>? part = null) =>
        new(target, add ? () => (part?.Invoke(target.Values) ?? target.Values).Zip(values(), (a, b) => a + b) : values) { Part = part };
}

/// <summary>A gradient with its function.</summary>
/// <param name="By">Read by the function at each call.</param>
public sealed record GradientOf(Func<Array4> Values, Array4 By, Func<double> Loss);

/// <summary>Largest error relative to the largest reference, and normalised squared error, that a result may have.</summary>
/// <param name="MaxError">Largest error relative to the largest reference.</param>
/// <param name="Nmse">Sum of squared errors relative to the sum of squares of the reference.</param>
/// <param name="Least">A reference whose values are all smaller counts as this large: it is itself known only to that rounding.</param>
public readonly record struct Tolerance(double MaxError, double Nmse, double Least = 0)
{
    /// <summary>Both errors of a result.</summary>
    public (double Max, double Nmse) Errors(Array4 expected, Array4 actual) =>
        (Array4.RelativeMaxError(expected, actual, Least), Array4.Nmse(expected, actual, Least));
}

/// <summary>A matrix product C = A·B.</summary>
/// <param name="M">Rows of A and C.</param>
/// <param name="N">Columns of B and C.</param>
/// <param name="K">Columns of A, rows of B.</param>
public readonly record struct GemmSize(int M, int N, int K)
{
    /// <summary>Operations, a multiply-add counted as two.</summary>
    public double Flops => 2.0 * M * N * K;

    /// <summary>Bytes of the three matrices.</summary>
    public double Bytes => sizeof(float) * ((double)M * K + (double)K * N + (double)M * N);
}
