using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Distributed;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>
/// The training loop, to be read top to bottom: load → augment → step (attack, forwards, loss, backward, optimizer) → averaged weights →
/// guard → report → checkpoint; at the end of an epoch weights → validation → checkpoint; at the end of the run the evaluation.
/// </summary>
internal sealed class TrainingRun
{
    private readonly TrainerConfig _config;
    private readonly TrainingSetup _setup;
    private readonly RunFolder _run;
    private readonly RunTeam _team;
    private readonly RunState _state;
    private readonly BatchStream _batches;
    private readonly StepInput _input;
    private readonly DivergenceGuard _guard;
    private readonly RunReporter _report;
    private readonly ValidationMonitor _monitor;
    private readonly RunSaver _saver;

    private TrainingRun(TrainerConfig config, TrainingSetup setup, RunFolder run, IProgressView view, StopRequest stop, RunTeam team)
    {
        (_config, _setup, _run, _team) = (config, setup, run, team);
        _state = new RunState(setup.Step);
        (_batches, _input) = (setup.Batches(), new StepInput(setup.Step, setup.DeviceImages()));
        _guard = new DivergenceGuard(config.Guard, setup.Model.Classes);
        _report = new RunReporter(config, setup, run, _state, view);
        _monitor = new ValidationMonitor(config, setup, run, _state, _report, team);
        _saver = new RunSaver(config, setup, run, _state, _report, stop);
    }

    /// <summary>Trains, writes the run folder, and measures the result.</summary>
    /// <param name="config">What to do.</param>
    /// <param name="setup">What it stands for.</param>
    /// <param name="run">Where files go.</param>
    /// <param name="view">Where progress goes.</param>
    /// <param name="stop">What signals ask.</param>
    /// <param name="team">The processes that share the run, of which this is rank 0; null for this one alone.</param>
    public static TrainingOutcome Execute(
        TrainerConfig config, TrainingSetup setup, RunFolder run, IProgressView view, StopRequest stop, RunTeam? team = null) =>
        new TrainingRun(config, setup, run, view, stop, team ?? new RunTeam(null, stop)).Execute();

    private TrainingOutcome Execute()
    {
        using RunReporter report = _report;
        report.Announce();
        if (_team.Description is { } description) report.View.Note(description);
        _saver.Begin();
        _team.ShareState(_setup, _state);
        report.Begin();
        if (_state.Step == 0)
        {
            report.KeepNotes();
            _monitor.Announce();
        }

        while (!_team.IsStopping && !IsTrained) EpochOrRollback();
        return _team.IsStopping ? Interrupted() : Evaluate();
    }

    private bool IsTrained => _state.Step == _setup.TotalSteps && _state.Statistics.Images == 0;

    private int StepOfEpoch => _state.Step - (_state.Epoch - 1) * _setup.StepsPerEpoch;

    private void EpochOrRollback()
    {
        try
        {
            Epoch();
        }
        catch (DivergedException error) when (_saver.RollBack(error))
        {
            // The run is at an earlier checkpoint now and continues from there.
            _team.ShareState(_setup, _state);
        }
    }

    /// <summary>Trains until the epoch ends, the run ends, or a stop is requested.</summary>
    private void Epoch()
    {
        var (schedule, pace) = (_setup.Schedule(), _report.Pace());
        foreach (ImageBatch batch in _batches.Epoch(_state.Epoch, first: StepOfEpoch))
        {
            if (_state.Step == _setup.TotalSteps || _team.Stops()) break;
            float rate = schedule.Rate(_state.Step++) * (float)_state.Guard.RateFactor;
            _input.Run(batch, _setup.At(_state.Epoch, _state.Step - 1, rate));
            _state.Statistics.Add(batch.Labels);
            Guard(batch, rate);
            _report.Step(rate, pace);
            // The end of an epoch saves more than its last step.
            if (StepOfEpoch < _setup.StepsPerEpoch) _saver.SaveIfDue();
        }
        if (!_team.IsStopping) Finish(schedule.Rate(_state.Step - 1) * (float)_state.Guard.RateFactor, pace);
    }

    private void Guard(ImageBatch batch, float rate)
    {
        try
        {
            _state.Guard = _guard.Check(_state.Guard, _state.Step, _state.Statistics.LastLoss, _state.Statistics.OnlyClass);
        }
        catch (DivergedException error)
        {
            PostMortem.Write(_run, _setup, batch, _state, rate, error.Message);
            throw;
        }
    }

    private void Finish(float rate, Pace pace)
    {
        bool whole = StepOfEpoch == _setup.StepsPerEpoch;
        // Cut short by max_steps: the rest of the epoch can still be trained when the limit is raised.
        if (!whole) _saver.Save(planned: true);
        _report.Epoch(rate, pace);
        if (whole) _setup.EndEpoch(_batches, _state.Epoch);
        Safetensors.Write(_run.PathOf(CheckpointFile.Name), _setup.Reported.State(), ModelMetadata.Write(_setup.Model), digest: true);
        _monitor.Measure();
        _state.NextEpoch();
        if (whole && (_saver.IsPlannedAfter(_state.Epoch - 1) || IsTrained)) _saver.Save(planned: true);
    }

    // Training is saved by now, so that there is nothing to save when this is cut short.
    private TrainingOutcome Evaluate()
    {
        if (FinalEvaluation.Run(_setup, _config, _run, _state, _report, _team) is not { } results) return new TrainingOutcome([], Interrupted: true);
        _report.Finished(results);
        return new TrainingOutcome(results);
    }

    private TrainingOutcome Interrupted()
    {
        _saver.SaveIfMoved();
        return new TrainingOutcome([], Interrupted: true);
    }
}
