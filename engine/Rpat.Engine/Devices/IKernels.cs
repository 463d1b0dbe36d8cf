namespace Rpat.Engine.Devices;

/// <summary>
/// The kernel contract: a backend that does not implement every op's kernels does not compile. A new op adds its interface here.
/// </summary>
public interface IKernels : IConv2dKernels, IDepthwiseConv2dKernels, IChannelBiasKernels, IActivationsKernels,
    IBatchNorm2dKernels, IPointwiseKernels, IElementwiseKernels, IPool2dKernels, ILinearKernels,
    IRowLossKernels, ILerpKernels,
    IAttackStepKernels, IAttackStartKernels, ISgdKernels, IEmaKernels, IWeightPerturbationKernels,
    ICropFlipKernels;
