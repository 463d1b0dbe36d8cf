namespace Rpat.Models;

/// <summary>The sizes of a wide ResNet; the defaults are WideResNet-34-10 for CIFAR-10.</summary>
public sealed record WideResNetOptions : ModelOptions
{
    /// <summary>Layers, 6n + 4 with n blocks per group.</summary>
    public int Depth { get; init; } = 34;

    /// <summary>Channels of the groups are 16, 32 and 64 times this.</summary>
    public int Width { get; init; } = 10;
}

/// <summary>
/// Wide ResNet (methods.md 1.9(c)): a stem of 16 channels, three groups of pre-activation blocks with strides 1, 2, 2, then
/// batch norm, ReLU, global average and a linear layer. WideResNet-34-10 has 46 160 474 parameters for 10 classes.
/// </summary>
public sealed class WideResNet : PreActivationNet
{
    private const int Groups = 3;
    private const int StemChannels = 16;

    /// <summary>Builds the net; convolutions are initialised by He's rule with fan-out, the linear bias with zero.</summary>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <exception cref="ArgumentException">The depth is not 6n + 4.</exception>
    public WideResNet(Device device, WideResNetOptions options, ulong seed)
        : base(device, options, BlockStyle.Wide, SizesOf(
            (options ?? throw new ArgumentNullException(nameof(options))).Width, BlocksOf(options.Depth)), seed) => Options = options;

    /// <summary>The sizes it was built with.</summary>
    public WideResNetOptions Options { get; }

    internal static NetSizes SizesOf(int width, int blocks) => NetSizes.Doubling(StemChannels, StemChannels * width, Groups, blocks);

    private static int BlocksOf(int depth) => depth >= 10 && depth % 6 == 4 ? (depth - 4) / 6
        : throw new ArgumentException($"WideResNet: depth {depth} must be 6n + 4, for instance 34.");
}
