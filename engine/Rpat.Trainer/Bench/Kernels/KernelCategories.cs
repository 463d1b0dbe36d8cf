namespace Rpat.Trainer.Bench.Kernels;

/// <summary>The kinds of kernels, by the op that they belong to; the BenchmarkDotNet suites have the same.</summary>
internal static class KernelCategories
{
    /// <summary>What a device gives at most, beside which kernels are held.</summary>
    public const string Peak = "peak";

    private static readonly Dictionary<Type, string> _ofContract = new()
    {
        [typeof(IConv2dKernels)] = "conv",
        [typeof(IDepthwiseConv2dKernels)] = "conv",
        [typeof(ILinearKernels)] = "gemm",
        [typeof(IBatchNorm2dKernels)] = "norm",
        [typeof(IPool2dKernels)] = "pool",
        [typeof(IChannelBiasKernels)] = "pointwise",
        [typeof(IActivationsKernels)] = "pointwise",
        [typeof(IPointwiseKernels)] = "pointwise",
        [typeof(IRowLossKernels)] = "loss",
        [typeof(IAttackStepKernels)] = "attack",
        [typeof(IAttackStartKernels)] = "attack",
        [typeof(ILerpKernels)] = "images",
        [typeof(ICropFlipKernels)] = "images",
        [typeof(ISgdKernels)] = "optimizer",
        [typeof(IEmaKernels)] = "optimizer",
        [typeof(IWeightPerturbationKernels)] = "optimizer",
    };

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<string> All { get; } = [.. _ofContract.Values.Append(Peak).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The kind of a kernel.</summary>
    public static string Of(KernelCase one) =>
        _ofContract[typeof(IKernels).GetInterfaces().First(contract => contract.GetMethods().Any(method => one.Covers.Contains(method.Name)))];
}
