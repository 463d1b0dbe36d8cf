using System.Diagnostics;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Output;
using Rpat.Trainer.Report;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>What a run tells: to people in the view, to programs in metrics and TensorBoard events, in pictures and warnings.</summary>
internal sealed class RunReporter : IDisposable
{
    private readonly TrainerConfig _config;
    private readonly TrainingSetup _setup;
    private readonly RunFolder _run;
    private readonly RunState _state;
    private readonly IProgressView _view;
    private readonly TensorBoardLog _board;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public RunReporter(TrainerConfig config, TrainingSetup setup, RunFolder run, RunState state, IProgressView view)
    {
        (_config, _setup, _run, _state, _view) = (config, setup, run, state, view);
        _board = TensorBoardLog.Open(run, config.Log);
    }

    /// <summary>Where people look.</summary>
    public IProgressView View => _view;

    /// <summary>Time since this process began the run.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>Begins to measure the speed of an epoch.</summary>
    public Pace Pace() => new(_clock, _state.Statistics);

    /// <summary>Says what is trained on what.</summary>
    public void Announce()
    {
        foreach (string note in _setup.Notes) _view.Note(note);
        _setup.Device.Noted += _view.Note;
        _view.Note($"{_setup.Data.Source}; {_setup.Device.Description}; {_setup.Net.Parameters.Count:N0} parameters");
    }

    /// <summary>Keeps with a new run what is to be said of its data wherever its results are shown.</summary>
    public void KeepNotes()
    {
        foreach (string note in _setup.Notes) _run.Warn(note);
    }

    /// <summary>The run starts or resumes.</summary>
    public void Begin() => _board.Begin(_state.Step, _config, RegularFile.ReadText(_run.PathOf(RunFolder.ConfigName), Layers.MaxFileBytes));

    /// <summary>A step was made.</summary>
    public void Step(float rate, Pace pace)
    {
        _board.Step(_state.Step, _state.Statistics.LastLoss, rate);
        Instruments.TellLoss(_state.Statistics.LastLoss);
        if (!_view.Due) return;
        var s = _state.Statistics;
        int steps = _setup.StepsPerEpoch, done = _state.Step - (_state.Epoch - 1) * steps;
        var left = TimeSpan.FromSeconds((_setup.TotalSteps - _state.Step) * (double)_setup.Batch / pace.Speed);
        _view.Update(new ProgressSnapshot("train", _state.Epoch, _config.Train.Epochs, done, steps, rate, s.Loss, s.LossParts, s.Accuracies, pace.Speed, Elapsed, left) { MemoryBytes = Environment.WorkingSet });
    }

    /// <summary>An epoch was trained.</summary>
    public void Epoch(float rate, Pace pace)
    {
        var s = _state.Statistics;
        _view.EpochDone(new EpochSummary(_state.Epoch, _config.Train.Epochs, rate, s.Loss, s.LossParts, s.Accuracies, pace.Speed, pace.Time));
        Metrics("train", _state.Epoch, [new("lr", rate), new("loss", s.Loss), .. s.LossParts, .. s.Accuracies]);
        _board.Weights(_state.Step, _setup.Reported);
    }

    /// <summary>Something was measured.</summary>
    /// <param name="split">On which images: <c>train</c>, <c>val</c> or <c>test</c>.</param>
    /// <param name="epoch">After which epoch.</param>
    /// <param name="metrics">The numbers.</param>
    public void Metrics(string split, int epoch, params Metric[] metrics)
    {
        _run.Metrics.Event(split, _state.Step, epoch, metrics);
        _board.Metrics(split, _state.Step, metrics);
    }

    /// <summary>Shows a warning and keeps it with the run.</summary>
    public void Warn(string line)
    {
        _view.Warn(line);
        _run.Warn(line);
    }

    /// <summary>The run was measured at its end.</summary>
    public void Finished(IReadOnlyList<EvaluationResult> results)
    {
        RunResult.Save(_run.Path, results);
        foreach (var result in results)
            Metrics(result.Split, _state.Epoch - 1, [.. result.Scores.Select(s => new Metric(s.Title.ToLowerInvariant(), s.Accuracy))]);
        Raster examples = AttackedExamples.Make(_setup, _config.Eval.Attacks.Select(attack => attack.Steps).DefaultIfEmpty().Max());
        AtomicFile.MakeFolder(Path.GetDirectoryName(_run.PathOf(AttackedExamples.FileName))!);
        Png.Write(_run.PathOf(AttackedExamples.FileName), examples.Width, examples.Height, 3, examples.Pixels);
        _board.Image(_state.Step, "adversarial", examples);
        _board.Finished();
    }

    /// <summary>Closes the event file.</summary>
    public void Dispose() => _board.Dispose();
}
