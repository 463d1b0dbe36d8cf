namespace Rpat.Training.Runs;

/// <summary>
/// The run's events for TensorBoard, in <c>tb</c>. There is one file; a resumed run truncates it to the step from which it resumes, so that
/// curves do not zigzag. It contains times, so no checkpoint may depend on it.
/// </summary>
internal sealed class TensorBoardLog : IDisposable
{
    /// <summary>The file's name in the run folder; readers look for <c>tfevents</c> in it.</summary>
    public const string FileName = "tb/events.out.tfevents.0000000000.rpat";

    /// <summary>The tag of each step's loss.</summary>
    public const string StepLoss = "step/loss";

    private readonly AppendOnlyFile? _file;
    private long _last;
    private readonly TimeProvider _clock;

    private TensorBoardLog(AppendOnlyFile? file, TimeProvider clock) => (_file, _clock) = (file, clock);

    private double Now => (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    /// <summary>Opens the run's file; without <c>log.tensorboard</c> nothing is ever written.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static TensorBoardLog Open(RunFolder run, LogSection log, TimeProvider? clock = null) =>
        new(log.TensorBoard ? Grow(run.PathOf(FileName)) : null, clock ?? TimeProvider.System);

    /// <summary>Starts, or resumes after the steps done so far.</summary>
    public void Begin(long step, TrainerConfig config, string yaml)
    {
        if (_file is null) return;
        _last = step;
        if (step > 0) CutTo(step);
        else _file.TruncateTo(0);
        if (_file.Length > 0) return;
        Add(EventRecords.Version(Now));
        Add(EventRecords.SessionStart(Now, 0));
        Add(EventRecords.Text(Now, 0, "config", $"```\n{yaml}```\n"));
        var settings = Settings(config);
        Add(HParamRecords.Experiment(Now, settings, [.. config.Eval.Attacks.Select(attack => $"test/{attack.Title.ToLowerInvariant()}")]));
        Add(HParamRecords.Start(Now, settings, config.RunName));
    }

    /// <summary>A step's loss and learning rate; one that is no later than the last is of a run that was rolled back.</summary>
    public void Step(long step, double loss, double rate)
    {
        if (step <= _last) CutTo(step - 1);
        _last = step;
        Add(EventRecords.Scalar(Now, step, StepLoss, (float)loss));
        Add(EventRecords.Scalar(Now, step, "step/lr", (float)rate));
    }

    /// <summary>The numbers of an epoch or of an evaluation, as the metrics have them.</summary>
    public void Metrics(string split, long step, params ReadOnlySpan<Metric> metrics)
    {
        foreach (Metric metric in metrics) Add(EventRecords.Scalar(Now, step, $"{split}/{metric.Name}", (float)metric.Value));
    }

    /// <summary>The distribution of each layer's weights.</summary>
    public void Weights(long step, Classifier net)
    {
        if (_file is null) return;
        foreach (Parameter parameter in net.Parameters.Parameters.Where(
            p => p.Name.EndsWith(".weight", StringComparison.Ordinal) && p.Shape.Count > p.Shape.N))
            Add(EventRecords.Histogram(Now, step, $"weights/{parameter.Name}", parameter.ToArray()));
    }

    /// <summary>A picture.</summary>
    public void Image(long step, string tag, Raster raster) =>
        Add(EventRecords.Image(Now, step, tag, raster.Width, raster.Height, raster.ToPng()));

    /// <summary>Records that the run finished.</summary>
    public void Finished() => Add(HParamRecords.End(Now, success: true));

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file?.Dispose();

    private static AppendOnlyFile Grow(string path)
    {
        AtomicFile.MakeFolder(Path.GetDirectoryName(path)!);
        return new AppendOnlyFile(path);
    }

    // Readers that know nothing of the cut drop what they have of the step that the session starts with, and of later ones.
    private void CutTo(long step)
    {
        if (_file is null) return;
        _file.TruncateTo(EventFrame.LengthUpTo(_file.ReadAll(), step));
        if (_file.Length > 0) Add(EventRecords.SessionStart(Now, step + 1));
    }

    private void Add(byte[] record) => _file?.Append(record);

    private static List<(string Name, object Value)> Settings(TrainerConfig c) =>
    [
        ("method", c.Method.Name), ("model", c.Model.Name), ("data", c.Data.Name),
        ("norm", c.Attack.Norm.Name), ("eps", c.Attack.Eps), ("attack steps", c.Attack.Steps),
        ("epochs", c.Train.Epochs), ("batch", c.Train.Batch), ("lr", c.Optimizer.Lr),
        ("schedule", c.Schedule.Kind.ToString().ToLowerInvariant()),
        ("weight decay", c.Optimizer.WeightDecay), ("ema", c.Average.Ema), ("cutmix", c.Data.Augment.CutMix), ("seed", c.Train.Seed),
    ];
}
