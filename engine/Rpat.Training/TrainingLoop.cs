namespace Rpat.Training;

/// <summary>
/// The training loop, to be read top to bottom: load → augment → step (attack, forwards, loss, backward, optimizer) → averaged weights →
/// guard; at the end of an epoch weights → validation; at the end of the run the evaluation. All ranks run the same loop; rank 0 has
/// observers that report, save and evaluate.
/// </summary>
internal sealed class TrainingLoop
{
    private readonly Run _run;
    private readonly RunState _state;
    private readonly IReadOnlyList<IRunObserver> _observers;
    private readonly BatchStream _batches;
    private readonly BatchLoader _input;
    private readonly DivergenceGuard _guard;
    private readonly RunEvaluation _evaluation;

    private TrainingLoop(Run run, IReadOnlyList<IRunObserver> observers)
    {
        (_run, _state, _observers) = (run, run.State, observers);
        (_batches, _input) = (run.Batches(), new BatchLoader(run.Step, run.DeviceImages()));
        _guard = new DivergenceGuard(run.Config.Guard, run.Model.Classes,
            PluginFailure.Parts([run.Net, run.Method, .. run.Method.AllModifiers]));
        _evaluation = new RunEvaluation(run);
    }

    /// <summary>Trains and measures; nothing is written or shown, as on every rank but 0.</summary>
    public static TrainingOutcome Execute(Run run) => new TrainingLoop(run, []).Execute();

    /// <summary>Trains, writes the run folder, and measures the result.</summary>
    public static TrainingOutcome Execute(Run run, IProgressView view)
    {
        using var report = new RunReporter(run, view);
        return new TrainingLoop(run, [report, new Checkpointer(run, report), new ValidationMonitor(run, report),
            new PostMortem(run, report)]).Execute();
    }

    private bool IsTrained => _state.Step == _run.TotalSteps && _state.Statistics.Images == 0;

    private int StepOfEpoch => _state.Step - (_state.Epoch - 1) * _run.StepsPerEpoch;

    private TrainingOutcome Execute()
    {
        Tell(observer => observer.Open());
        _run.Team.ShareState(_run);
        Tell(observer => observer.Begin());
        while (!_run.Team.IsStopping && !IsTrained) EpochOrRollback();
        return _run.Team.IsStopping ? Interrupted() : Evaluate();
    }

    private void EpochOrRollback()
    {
        try
        {
            Epoch();
        }
        catch (DivergedException error)
        {
            // Rank 0 rolls the run back to an earlier checkpoint, from which all continue; otherwise it ends the run for all.
            if (_run.Team.IsFirst && !_observers.Any(observer => observer.RollBack(error))) throw;
            _run.Team.ShareState(_run);
        }
    }

    /// <summary>Trains and validates, or does what a stop has left of that.</summary>
    private void Epoch()
    {
        if (!_state.IsEpochTrained) Train();
        if (_state.IsEpochTrained && IsValidated()) Finish();
    }

    /// <summary>Trains until the epoch ends, the run ends, or a stop is requested.</summary>
    private void Train()
    {
        var schedule = _run.Schedule();
        Tell(observer => observer.EpochBegins());
        float rate = Rate(schedule, Math.Max(0, _state.Step - 1));
        foreach (ImageBatch batch in _batches.Epoch(_state.Epoch, first: StepOfEpoch))
        {
            if (_state.Step == _run.TotalSteps || _run.Team.Stops()) break;
            rate = Rate(schedule, _state.Step++);
            _input.Run(batch, _run.At(_state.Epoch, _state.Step - 1, rate));
            _state.Statistics.Add(batch.Labels);
            Guard(batch, rate);
            Tell(observer => observer.Step(rate));
        }
        if (!_run.Team.IsStopping) EndTraining(rate);
    }

    private float Rate(Rpat.Robust.Schedules.Schedule schedule, int step) => schedule.Rate(step) * (float)_state.Guard.RateFactor;

    private void Guard(ImageBatch batch, float rate)
    {
        try
        {
            _state.Guard = _guard.Check(_state.Guard, _state.Step, _state.Statistics.LastLoss, _state.Statistics.OnlyClass);
        }
        catch (DivergedException error)
        {
            Tell(observer => observer.Diverged(batch, rate, error.Message));
            throw;
        }
    }

    private bool IsWhole => StepOfEpoch == _run.StepsPerEpoch;

    private void EndTraining(float rate)
    {
        if (!IsWhole) Tell(observer => observer.CutShort());
        Tell(observer => observer.Trained(rate));
        if (IsWhole) MoveAverage();
        _state.IsEpochTrained = true;
    }

    /// <summary>Measures the network if the epoch wants it.</summary>
    /// <returns>False if a stop was requested meanwhile: it is measured when the run is resumed.</returns>
    private bool IsValidated()
    {
        if (!_evaluation.IsDue) return true;
        if (_evaluation.Choose(Evaluating) is not { } measured) return false;
        Tell(observer => observer.Measured(measured.Clean, measured.Robust));
        return true;
    }

    private void Finish()
    {
        bool whole = IsWhole;
        _state.NextEpoch();
        Tell(observer => observer.EpochEnded(whole));
    }

    // Weights that are averaged once per epoch, whose running statistics are re-estimated on the images; every rank computes them.
    private void MoveAverage()
    {
        if (_run.Step.EndEpoch(_state.Epoch) is not { } statistics) return;
        foreach (ImageBatch batch in _batches.Epoch(_state.Epoch)) statistics.Add(batch.Images);
        statistics.Finish();
    }

    // Training is saved by now, so there is nothing to save if this is interrupted.
    private TrainingOutcome Evaluate()
    {
        if (_evaluation.Final(Evaluating) is not { } results)
            return new TrainingOutcome([], Interrupted: true);
        Tell(observer => observer.Finished(results));
        _run.Team.WaitForFirst();
        return new TrainingOutcome(results);
    }

    private void Evaluating(string attack, int done, int count, TimeSpan time) =>
        Tell(observer => observer.Evaluating(attack, done, count, time));

    private TrainingOutcome Interrupted()
    {
        Tell(observer => observer.Stopped());
        _run.Team.WaitForFirst();
        return new TrainingOutcome([], Interrupted: true);
    }

    private void Tell(Action<IRunObserver> what)
    {
        foreach (var observer in _observers) what(observer);
    }
}
