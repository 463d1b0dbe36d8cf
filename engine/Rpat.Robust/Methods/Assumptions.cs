namespace Rpat.Robust.Methods;

/// <summary>Assumptions shared by several methods.</summary>
internal static class Assumptions
{
    private static readonly Assumption _epochs = new(
        "train.epochs", "110",
        "epochs of the benchmark runs, inferred from the official code's milestones of 100 and 105; its default is 200");

    private static readonly Assumption _resNet = new(
        "model.name", "resnet18",
        "which network the tables call ResNet-18: the standard one, of two; the official code builds resnet18-bottleneck");

    private static readonly Assumption _tinyImageNet = new(
        "data.name", "tiny-imagenet", "its settings: those of CIFAR, for the official code gives no more than crop and stem");

    /// <summary>Of the four baselines, plain and with RPAT.</summary>
    public static IReadOnlyList<Assumption> Benchmarks { get; } = [_epochs, _resNet, _tinyImageNet];

    /// <summary>Of rows that seem to be taken from SOVR's table.</summary>
    public static Assumption Network { get; } = new(
        "model.name", "preactresnet18", "which network the row is of: rows that seem to be SOVR's may be of another 18-layer net");

    /// <summary>Of the two rows with a star.</summary>
    public static Assumption CutMix { get; } = new(
        "data.augment.cutmix", "1",
        "what the star of the table's WideResNet-34-10 row means: CutMix, inferred from the clean accuracy; every batch");

    /// <summary>Of ReBAT on WideResNet-34-10.</summary>
    public static Assumption WideDecay { get; } = new(
        "schedule.factor", "0.7692308", "decay on WideResNet-34-10 without CutMix, d = 1.3, with beta 0.5: from memory, unverified");

    /// <summary>Of the paper's motivation.</summary>
    public static IReadOnlyList<Assumption> Motivation { get; } =
    [
        new("model.name", "preactresnet18", "which network the motivation's figure is of; rpat perception measures any"),
        new("attack.eps", "8/255", "radius of the noise and of the attack there, inferred from the official code's evaluation"),
    ];
}
