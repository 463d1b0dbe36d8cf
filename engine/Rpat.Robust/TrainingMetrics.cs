using System.Diagnostics.Metrics;

namespace Rpat.Robust;

/// <summary>
/// Metrics of training and attacks for any listener: <c>dotnet-counters</c>, OpenTelemetry, a <see cref="MeterListener"/>. Without a
/// listener a measurement costs nothing and allocates nothing.
/// </summary>
public static class TrainingMetrics
{
    /// <summary>The name to listen to.</summary>
    public const string MeterName = "Rpat.Native";

    private static readonly Meter _meter = new(MeterName, typeof(TrainingMetrics).Assembly.GetName().Version?.ToString(3));

    /// <summary>Batches that were trained on.</summary>
    internal static readonly Counter<long> Steps = _meter.CreateCounter<long>("rpat.training.steps", "{step}", "Batches trained on.");

    /// <summary>Images that were trained on.</summary>
    internal static readonly Counter<long> Images = _meter.CreateCounter<long>("rpat.training.images", "{image}", "Images trained on.");

    /// <summary>Evaluations of the network by attacks, with or without a gradient.</summary>
    internal static readonly Counter<long> Evaluations =
        _meter.CreateCounter<long>("rpat.attack.evaluations", "{evaluation}", "Images that attacks have put through the network.");

    private static readonly Gauge<double> _loss = _meter.CreateGauge<double>("rpat.training.loss", "1", "Loss of the last batch.");

    /// <summary>
    /// Records the loss of a batch, known only to code that has read it from the device: the trainer does so after each step.
    /// </summary>
    public static void TellLoss(double loss) => _loss.Record(loss);
}
