namespace Rpat.Models;

/// <summary>The sizes of a pre-activation ResNet; the defaults are PreActResNet-18 for CIFAR-10.</summary>
public sealed record PreActResNetOptions : ModelOptions
{
    /// <summary>Channels of the first stage; each later stage doubles them.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Residual blocks of each of the four stages.</summary>
    public int BlocksPerStage { get; init; } = 2;
}

/// <summary>
/// Pre-activation ResNet (methods.md 1.9(a)): a 3×3 stem, four stages of blocks with strides 1, 2, 2, 2, then batch norm, ReLU,
/// global average and a linear layer. Width 64 with two blocks per stage is PreActResNet-18: 11 172 170 parameters for 10 classes.
/// </summary>
public sealed class PreActResNet : PreActivationNet
{
    /// <summary>Builds the net with PyTorch's default initialisation.</summary>
    /// <param name="seed">Seed of the initial weights.</param>
    public PreActResNet(Device device, PreActResNetOptions options, ulong seed)
        : base(device, options, BlockStyle.PreAct, NetSizes.Doubling(
            (options ?? throw new ArgumentNullException(nameof(options))).Width, options.Width, 4, options.BlocksPerStage), seed) =>
        Options = options;

    /// <summary>The sizes it was built with.</summary>
    public PreActResNetOptions Options { get; }
}
