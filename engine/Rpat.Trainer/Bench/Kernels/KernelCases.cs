namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Every kernel of the contract, at sizes.</summary>
internal static class KernelCases
{
    /// <summary>Cases in groups; what a group makes is freed before the next.</summary>
    public static IReadOnlyList<Func<Givens, IEnumerable<KernelCase>>> Groups(KernelSizes sizes) =>
        [.. ConvolutionCases.Groups(sizes), .. LayerCases.Groups(sizes), .. RowCases.Groups(sizes), .. ElementCases.Groups(sizes)];
}
