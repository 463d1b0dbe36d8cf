namespace Rpat.Engine.Devices;

/// <summary>
/// The kernel contract: every backend implements every op's kernels, or does not compile. A new op adds its interface here.
/// </summary>
public interface IKernels : IConv2dKernels, IDepthwiseConv2dKernels, IChannelBiasKernels, IActivationsKernels,
    IBatchNorm2dKernels, IPointwiseKernels, IPool2dKernels, ILinearKernels,
    IRowLossKernels, ILerpKernels,
    IAttackStepKernels, IAttackStartKernels, ISgdKernels, IEmaKernels, IWeightPerturbationKernels,
    ICropFlipKernels;
