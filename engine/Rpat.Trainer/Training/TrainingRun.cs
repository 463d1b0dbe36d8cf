using System.Diagnostics;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Output;
using Rpat.Trainer.Report;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>
/// The training loop, to be read top to bottom: shuffle → augment → step (attack, forwards, loss, backward, SGD, averaged weights) →
/// guard → checkpoint → end of the epoch → final evaluation.
/// </summary>
internal sealed class TrainingRun
{
    private readonly TrainerConfig _config;
    private readonly TrainingSetup _setup;
    private readonly RunFolder _run;
    private readonly IProgressView _view;
    private readonly StopRequest _stop;
    private readonly CheckpointStore _checkpoints;
    private readonly CheckpointClock _due;
    private readonly BatchStream _batches;
    private readonly TensorBoardLog _board;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private EpochStatistics _statistics;
    private int _step;
    private int _epoch = 1;
    private (int Step, int Epoch) _saved;

    private TrainingRun(TrainerConfig config, TrainingSetup setup, RunFolder run, IProgressView view, StopRequest stop)
    {
        (_config, _setup, _run, _view, _stop) = (config, setup, run, view, stop);
        _checkpoints = new CheckpointStore(run.PathOf(CheckpointStore.FolderName), config.Checkpoint.Keep, config.Checkpoint.KeepEvery);
        _due = new CheckpointClock(config.Checkpoint, stop);
        _batches = setup.Batches();
        _board = TensorBoardLog.Open(run, config.Log);
        _statistics = new EpochStatistics(setup.Step);
    }

    /// <summary>Trains, writes the run folder, and measures the result.</summary>
    public static TrainingOutcome Execute(TrainerConfig config, TrainingSetup setup, RunFolder run, IProgressView view, StopRequest stop) =>
        new TrainingRun(config, setup, run, view, stop).Execute();

    private TrainingOutcome Execute()
    {
        using TensorBoardLog board = _board;
        _setup.Device.Noted += _view.Note;
        Begin();
        while (!_stop.IsRequested && (_step < _setup.TotalSteps || _statistics.Images > 0)) Epoch();
        return _stop.IsRequested ? Interrupted() : Evaluate();
    }

    /// <summary>Trains until the epoch, the run or the user's patience ends.</summary>
    private void Epoch()
    {
        var schedule = _setup.Schedule();
        var (start, before) = (_clock.Elapsed.TotalSeconds, _statistics.Images);
        foreach (ImageBatch batch in _batches.Epoch(_epoch, first: StepOfEpoch))
        {
            if (_step == _setup.TotalSteps || _stop.IsRequested) break;
            float rate = schedule.Rate(_step++);
            _setup.Step.Run(batch.Images, batch.Labels, batch.Samples, _epoch, rate);
            _setup.Average?.Update((float)_config.Train.Ema);
            _statistics.Add(batch.Labels);
            RequireFinite(_statistics.LastLoss);
            _board.Step(_step, _statistics.LastLoss, rate);
            if (_view.Due) Show(rate, before, _clock.Elapsed.TotalSeconds - start);
            SaveIfDue();
        }
        if (!_stop.IsRequested) Finish(schedule.Rate(_step - 1), before, _clock.Elapsed.TotalSeconds - start);
    }

    private int StepOfEpoch => _step - (_epoch - 1) * _setup.StepsPerEpoch;

    private void RequireFinite(double loss)
    {
        if (double.IsFinite(loss)) return;
        throw new DivergedException($"training diverged: the loss is {loss} at step {_step}; lower optimizer.lr or lengthen schedule.warmup.");
    }

    private void Show(float rate, int before, double seconds)
    {
        double speed = (_statistics.Images - before) / Math.Max(1e-9, seconds);
        double left = (_setup.TotalSteps - _step) * (double)_setup.Batch / speed;
        _view.Update(new ProgressSnapshot("train", _epoch, _config.Train.Epochs, StepOfEpoch, _setup.StepsPerEpoch, rate, _statistics.Loss,
            _statistics.LossParts, _statistics.Accuracies, speed, _clock.Elapsed, TimeSpan.FromSeconds(left)));
    }

    private void Finish(float rate, int before, double seconds)
    {
        bool whole = StepOfEpoch == _setup.StepsPerEpoch;
        // Cut short by max_steps: the rest of the epoch can still be trained when the limit is raised.
        if (!whole) Save(planned: true);
        _view.EpochDone(new EpochSummary(_epoch, _config.Train.Epochs, rate, _statistics.Loss, _statistics.LossParts, _statistics.Accuracies,
            (_statistics.Images - before) / Math.Max(1e-9, seconds), TimeSpan.FromSeconds(seconds)));
        Log("train", _epoch, [new("lr", rate), new("loss", _statistics.Loss), .. _statistics.LossParts, .. _statistics.Accuracies]);
        _board.Weights(_step, _setup.Reported);
        Safetensors.Write(_run.PathOf(CheckpointFile.Name), _setup.Reported.State(), ModelMetadata.Write(_setup.Model));
        (_epoch, _statistics) = (_epoch + 1, new EpochStatistics(_setup.Step));
        if (whole && (_due.IsPlannedAfter(_epoch - 1) || _step == _setup.TotalSteps)) Save(planned: true);
    }

    private TrainingOutcome Evaluate()
    {
        var images = _config.Eval.N == 0 ? _setup.Data.Test : _setup.Data.Test.Take(Math.Min(_config.Eval.N, _setup.Data.Test.Count));
        if (FinalEvaluation.Run(_setup, _config, images, _view, _stop, _clock) is not { } result) return Interrupted();
        Log("test", _epoch - 1, [.. result.Scores.Select(s => new Metric(s.Title.ToLowerInvariant(), s.Accuracy))]);
        ShowExamples();
        _board.Finished();
        return new TrainingOutcome(result);
    }

    private void Log(string split, int epoch, Metric[] metrics)
    {
        _run.Metrics.Event(split, _step, epoch, metrics);
        _board.Metrics(split, _step, metrics);
    }

    private void ShowExamples()
    {
        Raster examples = AttackedExamples.Make(_setup, _config.Eval.Attacks.Select(attack => attack.Steps).DefaultIfEmpty().Max());
        Directory.CreateDirectory(Path.GetDirectoryName(_run.PathOf(AttackedExamples.FileName))!);
        Png.Write(_run.PathOf(AttackedExamples.FileName), examples.Width, examples.Height, 3, examples.Pixels);
        _board.Image(_step, "adversarial", examples);
    }

    private TrainingOutcome Interrupted()
    {
        if (_saved != (_step, _epoch)) Save(planned: false);
        return new TrainingOutcome(null, Interrupted: true);
    }

    // A run that stopped before its first checkpoint begins again, and leaves what it would have left.
    private void Begin()
    {
        foreach (string note in _setup.Data.Notes) _view.Note(note);
        _view.Note($"{_setup.Data.Source}; {_setup.Device.Description}; {_setup.Net.Parameters.Count:N0} parameters");
        if (_run.IsResumed && _checkpoints.Newest(_view.Note) is { } newest) Restore(newest.File, newest.Standing);
        else StartAnew();
        _board.Begin(_step, _config, File.ReadAllText(_run.PathOf(RunFolder.ConfigName)));
    }

    private void StartAnew()
    {
        _checkpoints.CutBack(0);
        _run.CutBack(new Dictionary<string, long>());
        _setup.Average?.Update(0);
    }

    private void Restore(string file, Standing standing)
    {
        _setup.Identity.RequireSameRun(standing.Identity, _view.Note);
        Checkpoint.Load(file, _setup.Net, _setup.State);
        _checkpoints.CutBack(standing.Step);
        _run.CutBack(standing.Files);
        (_step, _epoch, _statistics, _saved) = (standing.Step, standing.Epoch, new EpochStatistics(_setup.Step, standing.Sums), (standing.Step, standing.Epoch));
        _view.Note($"going on from step {_step} of {_setup.TotalSteps}");
    }

    private void SaveIfDue()
    {
        // The end of an epoch saves more than its last step.
        if (StepOfEpoch == _setup.StepsPerEpoch) return;
        if (_due.IsPlannedAt(_step)) Save(planned: true);
        else if (_due.IsWanted()) Save(planned: false);
    }

    private void Save(bool planned)
    {
        var standing = new Standing(_step, _epoch, planned, _setup.Identity, _run.Lengths(), _statistics.Sums);
        try
        {
            _checkpoints.Add(_step, file => Checkpoint.Write(file, _setup.Net, _setup.State, standing, ModelMetadata.Write(_setup.Model)));
        }
        catch (IOException error)
        {
            throw new UsageException($"the run stops at step {_step}, since {error.Message.TrimEnd('.')} ({Earlier()}).", error);
        }
        _due.Restart();
        _saved = (_step, _epoch);
    }

    private string Earlier() => _saved.Epoch == 0 ? "there is no earlier checkpoint" : $"the checkpoint of step {_saved.Step} is intact";
}
