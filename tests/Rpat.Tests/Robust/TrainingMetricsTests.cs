using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Rpat.Tests.Support;
using Rpat.Tests.Trainer;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Robust;

/// <summary>What listeners to the meter hear of a run, while no other test trains.</summary>
[Collection(SerialCollection.Name)]
public sealed class TrainingMetricsTests : IDisposable
{
    private readonly TestHost _test = new();
    private readonly ConcurrentDictionary<string, double> _sums = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ARunIsHeard()
    {
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == TrainingMetrics.MeterName) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>(
            (instrument, value, _, _) => _sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => _sums[instrument.Name] = value);
        listener.Start();
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "3", "--out", _test.PathOf("runs")]));
        Assert.Equal(0, _test.Run("eval", RunFiles.Runs(_test, "runs").Single(), "--attacks", "pgd2", "--n", "4", "--out",
            _test.PathOf("eval")));
        Assert.Equal(3, _sums["rpat.training.steps"]);
        Assert.Equal(12, _sums["rpat.training.images"]);
        Assert.True(_sums["rpat.training.loss"] > 0);
        Assert.True(_sums["rpat.attack.evaluations"] >= 4);
    }
}
