using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Runs;

namespace Rpat.Trainer.Training;

/// <summary>Saves a run, resumes from what was saved, and rolls a diverged run back to it.</summary>
internal sealed class RunSaver
{
    private readonly TrainingSetup _setup;
    private readonly RunFolder _run;
    private readonly RunState _state;
    private readonly RunReporter _report;
    private readonly GuardSection _guard;
    private readonly CheckpointStore _store;
    private readonly CheckpointClock _due;
    private readonly StopRequest _stop;
    private readonly bool _requeues;
    private (int Step, int Epoch) _saved;

    public RunSaver(TrainerConfig config, TrainingSetup setup, RunFolder run, RunState state, RunReporter report, StopRequest stop)
    {
        (_setup, _run, _state, _report, _guard) = (setup, run, state, report, config.Guard);
        _store = new CheckpointStore(run.PathOf(CheckpointStore.FolderName), config.Checkpoint.Keep, config.Checkpoint.KeepEvery);
        _due = new CheckpointClock(config.Checkpoint);
        (_stop, _requeues) = (stop, config.Run.Requeue);
    }

    /// <summary>Whether the configuration plans a checkpoint at the end of this epoch.</summary>
    public bool IsPlannedAfter(int epoch) => _due.IsPlannedAfter(epoch);

    /// <summary>Goes on from the newest checkpoint; a run that stopped before its first one begins again.</summary>
    /// <exception cref="UserException">The checkpoint does not belong to this data, model or method.</exception>
    public void Begin()
    {
        if (_run.IsResumed && _store.Newest(_report.View.Note) is { } newest)
        {
            _setup.Identity.RequireSameRun(newest.Standing.Identity, _report.View.Note);
            Restore(newest.File);
            _report.View.Note($"resuming from step {_state.Step} of {_setup.TotalSteps}");
            return;
        }

        _store.CutBack(0);
        _run.CutBack(new Dictionary<string, long>());
        // A run that may be rolled back must have somewhere to go.
        if (_guard.Action == GuardAction.Rollback) Save(planned: true);
    }

    /// <summary>Saves where the configuration, the clock or a signal wants it.</summary>
    public void SaveIfDue()
    {
        bool asked = _stop.TakeSave();
        if (_due.IsPlannedAt(_state.Step)) Save(planned: true);
        else if (asked || _due.IsOverdue()) Save(planned: false);
        if (asked && _requeues) _report.View.Note(SlurmJob.RequeueThis());
    }

    /// <summary>Saves unless nothing has moved since the last time.</summary>
    public void SaveIfMoved()
    {
        if (_saved != (_state.Step, _state.Epoch)) Save(planned: false);
    }

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="planned">Whether the configuration asks for it at this step, and not the clock or a signal.</param>
    /// <exception cref="UsageException">It cannot be written; the earlier ones are as they were.</exception>
    public void Save(bool planned)
    {
        try
        {
            var standing = _state.Standing(planned, _setup.Identity, _run.Lengths());
            _store.Add(_state.Step, file => Checkpoint.Write(file, _setup.Net, _setup.State, standing, ModelMetadata.Write(_setup.Model)));
        }
        catch (IOException error)
        {
            throw new UsageException($"the run stops at step {_state.Step}, since {error.Message.TrimEnd('.')} ({Earlier()}).", error);
        }

        _due.Restart();
        _saved = (_state.Step, _state.Epoch);
    }

    /// <summary>Takes a diverged run back to its last planned checkpoint, or the one before if it came from there already, with a lower learning rate.</summary>
    /// <returns>False when that was done as often as allowed, or is not wanted.</returns>
    public bool RollBack(DivergedException error)
    {
        var guard = _state.Guard;
        if (_guard.Action != GuardAction.Rollback || guard.Rollbacks >= _guard.Rollbacks) return false;
        var planned = _store.Planned();
        var target = planned.Count > 1 && planned[^1].Standing.Step == guard.LastRollback ? planned[^2] : planned[^1];
        int diverged = _state.Step;
        Restore(target.File);
        _state.Guard = _state.Guard with
        {
            Rollbacks = guard.Rollbacks + 1,
            LastRollback = _state.Step,
            RateFactor = guard.RateFactor * _guard.Cut,
        };
        _report.Warn(FormattableString.Invariant(
            $"rolled back from step {diverged} to step {_state.Step}, the learning rate is {_state.Guard.RateFactor:0.####} of the schedule's from here (rollback {_state.Guard.Rollbacks} of {_guard.Rollbacks}): {error.Message}"));
        return true;
    }

    private void Restore(string file)
    {
        var standing = Checkpoint.Load(file, _setup.Net, _setup.State);
        _state.Take(standing);
        _store.CutBack(standing.Step);
        _run.CutBack(standing.Files);
        _saved = (_state.Step, _state.Epoch);
    }

    private string Earlier() => _saved.Epoch == 0 ? "there is no earlier checkpoint" : $"the checkpoint of step {_saved.Step} is intact";
}
