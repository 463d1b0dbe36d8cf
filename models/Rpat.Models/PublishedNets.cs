namespace Rpat.Models;

/// <summary>An architecture of RobustBench's leaderboards for CIFAR-10 and CIFAR-100, ℓ∞ and ℓ2, or a ViT of ImageNet's.</summary>
/// <param name="Entries">Entries of that architecture, all leaderboards together.</param>
/// <param name="Model">What it is called here, with D and K for depth and width; null if it does not load.</param>
public sealed record PublishedNet(string Architecture, int Entries, string? Model);

/// <summary>Which published networks load.</summary>
public static class PublishedNets
{
    /// <summary>Every architecture of these leaderboards, as RobustBench 1.1.1 has them.</summary>
    public static IReadOnlyList<PublishedNet> All { get; } =
    [
        new("WideResNet of TRADES, with or without sub_block1", 54, "wideresnetD-K"),
        new("DMWideResNet with Swish or SiLU", 36, "dm-wideresnetD-K"),
        new("DMPreActResNet-18 with Swish", 8, "dm-preactresnet18"),
        new("XCiT-S12, -M12, -L12", 6, "xcit-X12"),
        new("ViT with a convolutional stem, S and B (ImageNet)", 2, "vit-X16-convstem"),
        new("ViT-B (ImageNet)", 1, "vit-X16"),
        new("ResNet-18", 5, "resnet18"),
        new("ResNet-50", 3, "resnet18-bottleneck"),
        new("PreActResNet-18", 3, "preactresnet18"),
        new("PreActResNet-18 without a last norm", 2, "preactresnet18-fast"),
        new("DMWideResNet with MeanSparse", 3, "dm-wideresnetD-K-meansparse"),
        new("RobustWideResNet", 2, "robust-wideresnet"),
        new("WRN-A4", 1, "wideresnet-a4"),
        new("RaWRN-70-16", 1, "ra-wideresnet"),
        new("RaWRN-70-16 with MeanSparse", 1, "ra-wideresnet-meansparse"),
        new("WideResNet with PSSiLU", 1, "wideresnetD-K-pssilu"),
        new("WideResNet with features and classifier of length 1", 1, "wideresnetD-K-normalized"),
        new("adaptive smoothing of two networks", 3, null),
        new("MixedNUTS, a mixture of two networks", 2, null),
        new("ensemble of three pre-activation ResNet-50", 1, null),
        new("ResNeSt-152, split attention", 1, null),
        new("SODEF, a neural differential equation", 1, null),
    ];
}
