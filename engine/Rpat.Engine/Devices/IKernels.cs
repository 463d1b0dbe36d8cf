namespace Rpat.Engine.Devices;

/// <summary>
/// The kernel contract: a backend that does not implement every op's kernels does not compile. A new op adds its interface here.
/// </summary>
public interface IKernels : IConv2dKernels, IDepthwiseConv2dKernels, IChannelBiasKernels,
    IBatchNorm2dKernels, IPointwiseKernels, IElementwiseKernels, IBinaryKernels, IPool2dKernels, IResampleKernels,
    ICopyKernels, ILinearKernels, IMatMulKernels, IRowLossKernels, ILerpKernels,
    IAttackStepKernels, IAttackStartKernels, ISgdKernels, IAdamKernels, IEmaKernels, IWeightPerturbationKernels,
    ICropFlipKernels;
