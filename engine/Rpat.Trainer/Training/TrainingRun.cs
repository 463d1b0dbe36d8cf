using System.Diagnostics;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>
/// The training loop, to be read top to bottom: shuffle → augment → step (attack, forwards, loss, backward, SGD) → averaged
/// weights → log → checkpoint → final evaluation.
/// </summary>
internal sealed class TrainingRun
{
    private readonly TrainerConfig _config;
    private readonly TrainingSetup _setup;
    private readonly RunFolder _run;
    private readonly IProgressView _view;
    private readonly StopRequest _stop;
    private readonly BatchStream _batches;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    private TrainingRun(TrainerConfig config, TrainingSetup setup, RunFolder run, IProgressView view, StopRequest stop)
    {
        (_config, _setup, _run, _view, _stop) = (config, setup, run, view, stop);
        _batches = setup.Batches();
    }

    /// <summary>Trains, writes the run folder, and measures the result.</summary>
    public static TrainingOutcome Execute(TrainerConfig config, TrainingSetup setup, RunFolder run, IProgressView view, StopRequest stop) =>
        new TrainingRun(config, setup, run, view, stop).Execute();

    private TrainingOutcome Execute()
    {
        foreach (string note in _setup.Data.Notes) _view.Note(note);
        _view.Note($"{_setup.Data.Source}; {_setup.Device.Description}; {_setup.Net.Parameters.Count:N0} parameters");
        _setup.Average?.Update(0);
        int step = 0;
        for (int epoch = 1; step < _setup.TotalSteps && !_stop.IsRequested; epoch++)
        {
            step = Epoch(epoch, step);
            SaveCheckpoint();
        }
        return _stop.IsRequested ? new TrainingOutcome(null, Interrupted: true) : new TrainingOutcome(Evaluate(step));
    }

    /// <summary>Trains until the epoch, the run or the user's patience ends, and returns the steps done so far.</summary>
    private int Epoch(int epoch, int step)
    {
        var schedule = _setup.Schedule();
        var statistics = new EpochStatistics(_setup.Step);
        double start = _clock.Elapsed.TotalSeconds;
        foreach (ImageBatch batch in _batches.Epoch(epoch))
        {
            if (step == _setup.TotalSteps || _stop.IsRequested) break;
            float rate = schedule.Rate(step++);
            _setup.Step.Run(batch.Images, batch.Labels, batch.Samples, epoch, rate);
            _setup.Average?.Update((float)_config.Train.Ema);
            statistics.Add(batch.Labels);
            RequireFinite(statistics.LastLoss, step);
            if (_view.Due) Show(epoch, step, rate, statistics, start);
        }
        Finish(epoch, step, schedule.Rate(step - 1), statistics, _clock.Elapsed.TotalSeconds - start);
        return step;
    }

    private static void RequireFinite(double loss, int step)
    {
        if (double.IsFinite(loss)) return;
        throw new DivergedException($"training diverged: the loss is {loss} at step {step}; lower optimizer.lr or lengthen schedule.warmup.");
    }

    private void Show(int epoch, int step, float rate, EpochStatistics statistics, double start)
    {
        double elapsed = _clock.Elapsed.TotalSeconds, speed = statistics.Images / Math.Max(1e-9, elapsed - start);
        double left = (_setup.TotalSteps - step) * (double)_setup.Batch / speed;
        _view.Update(new ProgressSnapshot("train", epoch, _config.Train.Epochs, step - (epoch - 1) * _setup.StepsPerEpoch, _setup.StepsPerEpoch,
            rate, statistics.Loss, statistics.LossParts, statistics.Accuracies, speed, TimeSpan.FromSeconds(elapsed), TimeSpan.FromSeconds(left)));
    }

    private void Finish(int epoch, int step, float rate, EpochStatistics statistics, double seconds)
    {
        if (statistics.Images == 0) return;
        double speed = statistics.Images / seconds;
        _view.EpochDone(new EpochSummary(epoch, _config.Train.Epochs, rate, statistics.Loss, statistics.LossParts, statistics.Accuracies,
            speed, TimeSpan.FromSeconds(seconds)));
        // Times stay out of the metrics, so that equal runs have equal files up to the wall clock of an event.
        Metric[] metrics = [new("lr", rate), new("loss", statistics.Loss), .. statistics.LossParts, .. statistics.Accuracies];
        _run.Metrics.Event("train", step, epoch, metrics);
        _run.Metrics.Epoch(epoch, metrics);
    }

    private void SaveCheckpoint() =>
        Safetensors.Write(_run.PathOf(CheckpointFile.Name), _setup.Reported.State(), ModelMetadata.Write(_setup.Model));

    private EvaluationResult Evaluate(int step)
    {
        var images = _config.Eval.N == 0 ? _setup.Data.Test : _setup.Data.Test.Take(Math.Min(_config.Eval.N, _setup.Data.Test.Count));
        var result = FinalEvaluation.Run(_setup, _config, images, _view, _stop, _clock);
        _run.Metrics.Event("test", step, _config.Train.Epochs, [.. result.Scores.Select(s => new Metric(s.Title.ToLowerInvariant(), s.Accuracy))]);
        return result;
    }
}
