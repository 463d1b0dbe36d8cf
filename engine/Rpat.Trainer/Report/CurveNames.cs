namespace Rpat.Trainer.Report;

/// <summary>What a curve of the metrics is called in a report: the files have short names for programs.</summary>
internal static class CurveNames
{
    /// <summary>Such as <c>training, attacked images</c> for <c>adv_acc</c> of the split <c>train</c>.</summary>
    public static string Of(string split, string metric) => $"{Split(split)}{Metric(metric)}";

    /// <summary>Whether a metric is a share of images, which people read in percent.</summary>
    public static bool IsAccuracy(string metric) =>
        metric.EndsWith("acc", StringComparison.Ordinal) || metric.StartsWith("clean", StringComparison.Ordinal)
        || metric.StartsWith("pgd", StringComparison.Ordinal) || CatalogNames.Attacks.Match(metric) is not null;

    private static string Split(string split) => split switch
    {
        "train" => "training",
        "val" => "validation",
        _ => split,
    };

    private static string Metric(string metric) => metric switch
    {
        "loss" => " loss",
        "lr" => ", learning rate",
        EpochStatistics.CleanName or "clean" => ", clean images",
        EpochStatistics.AdversarialName => ", attacked images",
        EpochStatistics.NoiseName => ", noisy images",
        _ => CatalogNames.Attacks.Match(metric) is { } attack ? $", {AttackTitle.Of(attack)}" : $", loss term {metric}",
    };
}
