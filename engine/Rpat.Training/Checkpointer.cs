namespace Rpat.Training;

/// <summary>Saves a run, resumes it from a checkpoint, and rolls a diverged run back to one.</summary>
internal sealed class Checkpointer(Run run, RunReporter report) : IRunObserver
{
    private readonly RunState _state = run.State;
    private readonly GuardSection _guard = run.Config.Guard;
    private readonly CheckpointSchedule _due = new(run.Config.Checkpoint);
    private readonly CheckpointStore _store = new(
        run.Folder.PathOf(RunContents.CheckpointFolder), run.Config.Checkpoint.Keep, run.Config.Checkpoint.KeepEvery);
    private (int Step, int Epoch) _saved;

    /// <summary>
    /// Whether a run is finished and whole; one whose last checkpoint is damaged is trained again from an earlier one, if there is one.
    /// </summary>
    public static bool IsWhole(string folder, TrainerConfig config) =>
        RunRecord.Read(folder) is { Status: RunStatus.Finished } && RunResult.Read(folder).Count > 0
        && File.Exists(Path.Combine(folder, CheckpointFile.Name))
        && new CheckpointStore(Path.Combine(folder, RunContents.CheckpointFolder), 0, 0).IsAt(config.Train.MaxSteps, config.Train.Epochs);

    /// <summary>Resumes from the newest checkpoint; a run that stopped before its first one starts from the beginning.</summary>
    /// <exception cref="UserException">The checkpoint does not belong to this data, model or method.</exception>
    public void Open()
    {
        if (run.Folder.IsResumed && _store.Newest(report.View.Note) is { } newest)
        {
            var earlier = newest.Standing.Identity;
            bool hasOthers = run.Folder.Plan is { HasOtherNetworks: true };
            run.Identity.RequireSameRun(hasOthers ? earlier with { Teachers = null } : earlier, report.View.Note);
            int at = newest.Standing.Step;
            if (at > run.TotalSteps) throw new UsageException(FormattableString.Invariant(
                $"the run is at step {at} and was to end at step {run.TotalSteps}: give more as train.max_steps or train.epochs."));
            run.HasBegun = true;
            Restore(newest.File);
            report.View.Note($"resuming from step {_state.Step} of {run.TotalSteps}");
            if (_guard.Action == GuardAction.Rollback && _store.Planned().Count == 0) Save(planned: true);
            return;
        }

        run.HasBegun = true;
        _store.DeleteAfter(0);
        run.Folder.CutBack(new Dictionary<string, long>());
        // A run that may be rolled back needs a checkpoint to roll back to.
        if (_guard.Action == GuardAction.Rollback) Save(planned: true);
    }

    /// <summary>
    /// Saves when the configuration, the clock or a signal requires it; the end of an epoch saves more than its last step.
    /// </summary>
    public void Step(float rate)
    {
        if (_state.Step == _state.Epoch * run.StepsPerEpoch) return;
        SaveIfDue(_due.IsPlannedAt(_state.Step));
    }

    /// <inheritdoc/>
    public void CutShort() => Save(planned: true);

    /// <summary>Writes the network as it is now, and a checkpoint if the configuration plans one after this epoch.</summary>
    public void EpochEnded(bool whole)
    {
        Safetensors.Write(run.Folder.PathOf(CheckpointFile.Name), run.Reported.State(), ModelMetadata.Write(run.Model), digest: true);
        SaveIfDue(whole && (_due.IsPlannedAfter(_state.Epoch - 1) || _due.IsPlannedAt(_state.Step) || _state.Step == run.TotalSteps));
    }

    /// <summary>
    /// Saves during a validation when the clock or a signal requires it. In the last evaluation training is saved by now, and a signal can
    /// only put the job back into the queue.
    /// </summary>
    public void Evaluating(string attack, int done, int count, TimeSpan time)
    {
        if (_state.IsEpochTrained) SaveIfDue(planned: false);
        else if (run.Team.Stop.ConsumeSaveRequest()) Requeue();
    }

    /// <summary>Saves unless nothing has moved since the last time.</summary>
    public void Stopped()
    {
        if (!IsSaved) Save(planned: false);
    }

    // The checkpoint of an epoch that was cut short is of the time before its validation, so that more steps can be asked for.
    private bool IsSaved => _saved == (_state.Step, _state.Epoch);

    private void SaveIfDue(bool planned)
    {
        bool asked = run.Team.Stop.ConsumeSaveRequest();
        if (planned || ((asked || _due.IsOverdue()) && !IsSaved)) Save(planned);
        if (asked) Requeue();
    }

    private void Requeue()
    {
        if (run.Config.Run.Requeue) report.View.Note(SlurmJob.RequeueThis());
    }

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="planned">Whether the configuration asks for it at this step, as opposed to the clock or a signal.</param>
    /// <exception cref="UsageException">It cannot be written; the earlier ones are unchanged.</exception>
    private void Save(bool planned)
    {
        try
        {
            var standing = _state.Standing(planned, run.Identity, run.Folder.Lengths());
            _store.Add(_state.Step, file => Checkpoint.Write(file, run.Net, run.Step, standing, ModelMetadata.Write(run.Model)));
        }
        catch (IOException error)
        {
            throw new UsageException($"the run stops at step {_state.Step}, since {error.Message.TrimEnd('.')} ({Earlier()}).", error);
        }

        _due.Restart();
        _saved = (_state.Step, _state.Epoch);
    }

    /// <summary>
    /// Takes a diverged run back to its last planned checkpoint, or to the one before that if it was rolled back to the last one already,
    /// with a lower learning rate.
    /// </summary>
    /// <returns>False if the allowed number of rollbacks is used up, or none is wanted.</returns>
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
        report.Warn(FormattableString.Invariant(
            $"rolled back from step {diverged} to step {_state.Step}, the learning rate is {_state.Guard.RateFactor:0.####} of the schedule's from here (rollback {_state.Guard.Rollbacks} of {_guard.Rollbacks}): {error.Message}"));
        Save(planned: true); // a stop before the next checkpoint loses neither the lower rate nor the count
        return true;
    }

    private void Restore(string file)
    {
        var standing = Checkpoint.Load(file, run.Net, run.Step);
        _state.Take(standing);
        _store.DeleteAfter(standing.Step);
        run.Folder.CutBack(standing.Files);
        _saved = (_state.Step, _state.Epoch);
    }

    private string Earlier() => _saved.Epoch == 0 ? "there is no earlier checkpoint" : $"the checkpoint of step {_saved.Step} is intact";
}
