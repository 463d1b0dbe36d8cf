namespace Rpat.Trainer.Bench;

/// <summary>
/// A step of adversarial training that others have measured: 128 images of 3×32×32, ten attack steps of three passes each, and two
/// forward and backward passes in training mode; 36 forward passes' worth.
/// </summary>
/// <param name="Network">The network as rpat names it.</param>
/// <param name="Gpu">On what it was measured.</param>
/// <param name="Milliseconds">Of the step.</param>
/// <param name="Source">Where it was published, and what was.</param>
internal sealed record PublishedStep(string Network, string Gpu, double Milliseconds, string Source)
{
    /// <summary>Training-mode forward passes.</summary>
    public const int Views = 2;

    /// <summary>The share of a step in its last backward pass, which is that of two views.</summary>
    public const double BackwardShare = 4 / 36.0;

    private const string A100 = "github.com/KellerJordan/cifar10-airbench: ResNet-18, 32.3 PFLOP in 7 min in half precision; "
        + "here 36 passes of 128 images at that speed";

    /// <summary>What has been published.</summary>
    public static IReadOnlyList<PublishedStep> All { get; } =
    [
        new("preactresnet18", "RTX 3090", 491,
            "github.com/xuwkk/adversarial_training_cifar: PGD-AT of ResNet-18, 3.2 min per epoch of 391 steps"),
        new("preactresnet18", "A100", 66.6, A100),
        new("wideresnet34-10", "Titan RTX", 4000,
            "github.com/yaodongyu/TRADES, issue 25: about 4 s per iteration (by the author, on two: 15 min per epoch)"),
        new("wideresnet34-10", "A100", 628, A100),
    ];
}
