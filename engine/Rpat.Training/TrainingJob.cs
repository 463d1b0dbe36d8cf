namespace Rpat.Training;

/// <summary>
/// A training run from code: the recipes and keys of <c>rpat train</c>, the same run folder, and the same bits however often it is stopped
/// and resumed. One process trains; <c>rpat train --nproc N</c> starts several.
/// </summary>
public sealed class TrainingJob : IDisposable
{
    internal const string Origin = "settings";

    private readonly StopRequest _stop = new();
    private readonly Run _run;
    private readonly TrainingSession _session;
    private readonly Lock _training = new();
    private bool _hasTrained;
    private bool _disposed;

    private TrainingJob(RunPlan plan, IReadOnlyList<string> settings, DataPair? data)
    {
        var config = plan.Resolved.Config;
        if (config.Run.Processes > 1)
            throw new UsageException(
                $"run.processes is {config.Run.Processes}, and a job trains in one process: leave it at 1, or train with 'rpat train', "
                    + "which starts several.");
        _run = Run.Open(config, new RunProcessGroup(stop: _stop), data, resumes: plan.Folder is not null);
        try
        {
            if (plan.Folder is null && config.Run.CheckDisk) DiskNeed.Of(_run).Require(config.Run.Out);
            _session = new TrainingSession(plan, _run.Compute(), settings, TimeProvider.System,
                [.. Catalog.Registered.Where(one => !one.IsDynamic).Select(one => one.Location).Where(file => file.Length > 0)]);
        }
        catch
        {
            _run.Dispose();
            throw;
        }
    }

    /// <summary>The run's folder, as a full path: checkpoints, <c>model.safetensors</c>, metrics, log.</summary>
    public string Folder => _session.Folder.Path;

    /// <summary>Whether an earlier process began the run.</summary>
    public bool IsResumed => _session.Folder.IsResumed;

    /// <summary>The network that is reported: the averaged one if the method or the settings say so.</summary>
    public Classifier Network => _run.Reported;

    /// <summary>
    /// Opens the newest unfinished run of the name <c>run.name</c> in <c>run.out</c>, or makes a new one, whose folder has date and
    /// time before that name; a finished run is left as it is. Data, network and method are read
    /// and checked, and nothing is trained yet. No other process has the folder open meanwhile.
    /// </summary>
    /// <param name="settings">
    /// Keys of the configuration as <c>KEY=VALUE</c>, such as <c>recipe=fashion-quick</c> and <c>train.epochs=5</c>; <c>rpat config
    /// show</c> lists them. If they name a data set and no recipe, the rest is PGD-AT's published setting. To resume, the same ones, except
    /// for keys that do not affect the weights.
    /// </param>
    /// <exception cref="UserException">A setting is wrong, is not that of the run to resume, or the
    /// folder cannot be made or opened.</exception>
    /// <exception cref="DataException">The data set is missing or damaged.</exception>
    /// <exception cref="CheckpointException">A network to start from is damaged, or a different one.</exception>
    public static TrainingJob Open(params IReadOnlyList<string> settings) => Make(settings, null);

    /// <summary>
    /// The same on images of one's own in memory, or of an <see cref="IDataSet"/>: what its <see cref="IDataSet.Open"/> returns. To resume,
    /// give the same images; others are refused.
    /// </summary>
    /// <param name="data">Images to train and to test on, of one size and with the same classes, such as those of
    /// <see cref="LabeledImages.FromFloats"/>.</param>
    /// <param name="settings">Keys of the configuration except <c>data.name</c>, as for <see cref="Open(IReadOnlyList{string})"/>.</param>
    /// <inheritdoc cref="Open(IReadOnlyList{string})"/>
    public static TrainingJob Open((LabeledImages Train, LabeledImages Test) data, params IReadOnlyList<string> settings)
    {
        if (Layers.Sets(settings, Origin).Entries.ContainsKey(ConfigKeys.Of(c => c.Data.Name).Path))
            throw new ConfigException("data.name names a data set, and images are given as well: leave out one of them.");
        var pair = DataSets.Pair(data.Train, data.Test);
        return Make([.. settings, $"data.name={pair.Source}"], pair);
    }

    private static TrainingJob Make(IReadOnlyList<string> settings, DataPair? data)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var sources = new ConfigSources([], new Dictionary<string, string>(), settings, []) { SetOrigin = Origin };
        return new TrainingJob(RunPlan.Automatic(ConfigResolver.Resolve(sources), []).Settled(static _ => { }), settings, data);
    }

    /// <summary>
    /// Trains to the end of the run and measures it, or until it is cancelled; either way the run is saved on the disk then. Once per job:
    /// a job that is opened anew goes on from there.
    /// </summary>
    /// <param name="progress">Receives the run's progress; an exception that it throws ends the run, which can be resumed from its last
    /// checkpoint.</param>
    /// <param name="cancellation">Asks to finish the step, save, and return.</param>
    /// <returns>How it ended, with the accuracies if it was not cancelled.</returns>
    /// <exception cref="UserException">Training diverged, or there is an error that the user can fix; the run can be resumed.</exception>
    /// <exception cref="CheckpointException">The run's checkpoints are damaged.</exception>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public TrainingOutcome Train(IProgressView? progress = null, CancellationToken cancellation = default)
    {
        lock (_training)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_hasTrained) throw new InvalidOperationException(
                "This job has trained already: dispose of it, and open it again with the same settings to go on from its last checkpoint.");
            _hasTrained = true;
            using var asking = cancellation.Register(() => _stop.Ask(ExitCode.Interrupted));
            return _session.Train(_run, progress ?? new NoView());
        }
    }

    /// <summary>Closes the run's folder and frees the device; a training in another thread is cancelled first, and returns.</summary>
    public void Dispose()
    {
        if (!_stop.IsRequested) _stop.Ask(ExitCode.Interrupted);
        lock (_training)
        {
            if (_disposed) return;
            _disposed = true;
            _session.Dispose();
            _run.Dispose();
            _stop.Dispose();
        }
    }

    private sealed class NoView : IProgressView;
}

/// <summary>How a training run ended.</summary>
/// <param name="Results">The final evaluations; none when the run stopped before them.</param>
/// <param name="Interrupted">Whether it returned early because a stop was requested.</param>
public sealed record TrainingOutcome(IReadOnlyList<EvaluationResult> Results, bool Interrupted = false);
