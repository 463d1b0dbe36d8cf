namespace Rpat.Training;

/// <summary>
/// Evaluates the network after an epoch on the selection images, keeps the most robust one in <c>best.safetensors</c>, and warns of robust
/// overfitting (Rice, Wong, Kolter, 2020): validation falls from its best while training still rises.
/// </summary>
internal sealed class ValidationMonitor(Run run, RunReporter report) : IRunObserver
{
    private const int AlarmAfter = 2;
    private const string EpochKey = "rpat.epoch", RobustKey = "rpat.robust";

    private readonly TrainerConfig _config = run.Config;
    private readonly RunState _state = run.State;

    private string Split => _config.Eval.Select == SelectOn.Test ? "test" : "val";

    /// <summary>Warns if the best checkpoint is chosen on unsuitable images.</summary>
    public void Begin()
    {
        if (_state.Step > 0) return;
        if (_config.Eval.Select == SelectOn.Test)
            report.Warn(
                "warning: the best checkpoint is chosen on the TEST images, so its accuracy on them is not that of unseen images: "
                    + "choose on training images with data.validation and eval.select=validation.");
        if (run.ChoosingImages is null && _config.Attack.Steps == 1)
            report.View.Note(
                "note: training against a single attack step can lose all robustness within an epoch, which only held-out images show: "
                    + "data.validation=0.02 watches for it");
    }

    /// <summary>Keeps the network if it is the most robust one so far, and warns of overfitting.</summary>
    public void Measured(double clean, double robust)
    {
        var monitored = new Metric(_config.Eval.Monitor.Title.ToLowerInvariant(), robust);
        report.Metrics(Split, _state.Epoch, _config.Eval.Monitor.IsClean ? [monitored] : [new("clean", clean), monitored]);
        Judge(robust);
        report.View.Note(FormattableString.Invariant(
            $"{Split}={run.ChoosingImages!.Count} epoch={_state.Epoch} clean={Format.Percent(clean)} {monitored.Name}={Format.Percent(robust)} best={Format.Percent(_state.Monitor.Best)} best_epoch={_state.Monitor.BestEpoch}"));
    }

    // Ties keep the earlier epoch.
    private void Judge(double robust)
    {
        var (was, train) = (_state.Monitor, _state.Statistics.Accuracy);
        if (robust > was.Best)
        {
            _state.Monitor = new MonitorState(_state.Epoch, robust, train, 0);
            KeepBest(robust);
            return;
        }
        // The file is of an epoch that was cut short, or of an attempt that was rolled back, and better than what the state knows; that of
        // a later epoch will be made again.
        if (Kept() is { } kept && kept.Robust > was.Best && kept.Epoch <= _state.Epoch)
            was = was with { BestEpoch = kept.Epoch, Best = kept.Robust };

        bool collapsed = was.IsCollapse(robust, train, run.Model.Classes);
        if (collapsed && !was.Collapsed) Collapse(robust, train);
        bool overfits = !collapsed && _config.Guard.Overfit > 0 && robust < was.Best - _config.Guard.Overfit && train > was.TrainAtBest;
        _state.Monitor = was with { Falling = overfits ? was.Falling + 1 : 0, Collapsed = collapsed };
        if (_state.Monitor.Falling == AlarmAfter) Alarm(robust, train);
    }

    private void Alarm(double robust, double train) => report.Warn(FormattableString.Invariant(
        $"warning: robust overfitting at epoch {_state.Epoch}: {_config.Eval.Monitor.Title} on held-out images has fallen from {Format.Percent(_state.Monitor.Best)} (epoch {_state.Monitor.BestEpoch}) to {Format.Percent(robust)} while training rose from {Format.Percent(_state.Monitor.TrainAtBest)} to {Format.Percent(train)}; use best.safetensors, stop here, or try averaged weights (average.ema=0.999)."));

    private void Collapse(double robust, double train) => report.Warn(FormattableString.Invariant(
        $"warning: catastrophic overfitting at epoch {_state.Epoch}: {_config.Eval.Monitor.Title} on held-out images has collapsed from {Format.Percent(_state.Monitor.Best)} (epoch {_state.Monitor.BestEpoch}) to {Format.Percent(robust)} while the training attack still meets {Format.Percent(train)}; use best.safetensors, and train with more attack steps (attack.steps={Math.Max(7, 2 * _config.Attack.Steps)}), a smaller eps, or a lower rate."));

    private (int Epoch, double Robust)? Kept()
    {
        if (RunContents.Find(run.Folder.Path, CheckpointFile.Best) is not { } path) return null;
        using var file = Safetensors.Read(path);
        return int.TryParse(file.Metadata.GetValueOrDefault(EpochKey), CultureInfo.InvariantCulture, out int epoch)
            && double.TryParse(file.Metadata.GetValueOrDefault(RobustKey), CultureInfo.InvariantCulture, out double robust)
            ? (epoch, robust) : null;
    }

    private void KeepBest(double robust)
    {
        var metadata = ModelMetadata.Write(run.Model);
        metadata[EpochKey] = _state.Epoch.ToString(CultureInfo.InvariantCulture);
        metadata[RobustKey] = robust.ToString("R", CultureInfo.InvariantCulture);
        metadata["rpat.selected_by"] = FormattableString.Invariant(
            $"{_config.Eval.Monitor.Name} on {run.ChoosingImages!.Count} {Split} images: {robust:0.0000}");
        Safetensors.Write(run.Folder.PathOf(CheckpointFile.Best), run.Reported.State(), metadata, digest: true);
    }
}
