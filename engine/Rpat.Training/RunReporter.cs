namespace Rpat.Training;

/// <summary>A run's output: for people in the view, for programs in metrics and TensorBoard events, as pictures and warnings.</summary>
internal sealed class RunReporter(Run run, IProgressView view) : IRunObserver, IDisposable
{
    private readonly RunState _state = run.State;
    private readonly TensorBoardLog _board = TensorBoardLog.Open(run.Folder, run.Config.Log);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private (TimeSpan Start, int Images) _epoch; // the part of it that this process trains

    /// <summary>Where people look.</summary>
    public IProgressView View => view;

    private TimeSpan EpochTime => _clock.Elapsed - _epoch.Start;

    private double Speed => (_state.Statistics.Images - _epoch.Images) / Math.Max(1e-9, EpochTime.TotalSeconds);

    /// <summary>Reports what is trained on which data and device.</summary>
    public void Open()
    {
        foreach (string note in Notes) view.Note(note);
        run.Device.Noted += view.Note;
        view.Note($"{run.Data.Source}; {run.Device.Description}; {run.Net.Parameters.Count:N0} parameters");
        if (run.Team.Description is { } description) view.Note(description);
    }

    /// <summary>
    /// Begins the records, and stores with a new run the notes on its data that must appear wherever its results are shown.
    /// </summary>
    public void Begin()
    {
        if (run.Folder.Plan is { IsChanged: true } plan) run.Folder.WriteConfig(plan.Stored);
        _board.Begin(_state.Step, run.Config, RegularFile.ReadText(run.Folder.PathOf(RunFolder.ConfigName), Layers.MaxFileBytes));
        if (_state.Step > 0) return;
        foreach (string note in Notes) run.Folder.Warn(note);
    }

    private IEnumerable<string> Notes => run.Notes.Concat(run.Folder.Plan is { } plan ? SuspectValues.Unread(plan.Resolved) : []);

    /// <inheritdoc/>
    public void EpochBegins() => _epoch = (_clock.Elapsed, _state.Statistics.Images);

    /// <inheritdoc/>
    public void Step(float rate)
    {
        _board.Step(_state.Step, _state.Statistics.LastLoss, rate);
        TrainingMetrics.TellLoss(_state.Statistics.LastLoss);
        if (!view.Due) return;
        var s = _state.Statistics;
        int steps = run.StepsPerEpoch, done = _state.Step - (_state.Epoch - 1) * steps;
        var left = TimeSpan.FromSeconds((run.TotalSteps - _state.Step) * (double)run.Batch / Speed);
        view.Update(new ProgressSnapshot("train", _state.Epoch, run.Config.Train.Epochs, done, steps, rate, s.Loss, s.LossParts,
            s.Accuracies, Speed, _clock.Elapsed, left)
        { MemoryBytes = Environment.WorkingSet });
    }

    /// <inheritdoc/>
    public void Trained(float rate)
    {
        var s = _state.Statistics;
        view.EpochDone(new EpochSummary(_state.Epoch, run.Config.Train.Epochs, rate, s.Loss, s.LossParts, s.Accuracies, Speed, EpochTime));
        Metrics("train", _state.Epoch, [new("lr", rate), new("loss", s.Loss), .. s.LossParts, .. s.Accuracies]);
        _board.Weights(_state.Step, run.Reported);
    }

    /// <summary>Something was measured.</summary>
    /// <param name="split">On which images: <c>train</c>, <c>val</c> or <c>test</c>.</param>
    public void Metrics(string split, int epoch, params Metric[] metrics)
    {
        run.Folder.Metrics.Event(split, _state.Step, epoch, metrics);
        _board.Metrics(split, _state.Step, metrics);
    }

    /// <summary>Shows a warning and stores it with the run.</summary>
    public void Warn(string line)
    {
        view.Warn(line);
        run.Folder.Warn(line);
    }

    /// <inheritdoc/>
    public void Evaluating(string attack, int done, int count, TimeSpan time)
    {
        if (!view.Due) return;
        double speed = done / Math.Max(1e-9, time.TotalSeconds);
        view.Update(new ProgressSnapshot(
            $"eval {attack}", 0, 0, done, count, 0, double.NaN, [], [], speed, _clock.Elapsed,
            Left(done, count, time)));
    }

    /// <summary>Time for the rest at the same speed; while nothing is done, as if one were.</summary>
    internal static TimeSpan Left(int done, int count, TimeSpan time) => time * ((double)(count - done) / Math.Max(1, done));

    /// <inheritdoc/>
    public void Finished(IReadOnlyList<EvaluationResult> results)
    {
        RunResult.Save(run.Folder.Path, results);
        foreach (var result in results)
            Metrics(result.Split, _state.Epoch - 1, [.. result.Scores.Select(s => new Metric(s.Title.ToLowerInvariant(), s.Accuracy))]);
        Raster examples = AttackedExamples.Make(run);
        AtomicFile.MakeFolder(Path.GetDirectoryName(run.Folder.PathOf(AttackedExamples.FileName))!);
        AtomicFile.Write(run.Folder.PathOf(AttackedExamples.FileName), stream => stream.Write(examples.ToPng()));
        _board.Image(_state.Step, "adversarial", examples);
        _board.Finished();
    }

    /// <summary>Closes the event file.</summary>
    public void Dispose() => _board.Dispose();
}
