namespace Rpat.Training;

/// <summary>A training run on the disk: its folder, open for this process alone, its record and its log.</summary>
internal sealed class TrainingSession : IDisposable
{
    private static readonly TimeSpan _logInterval = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _clock;
    private readonly PlainView _log;
    private readonly Lock _recordLock = new();
    private readonly RunRecord? _earlier; // of the run that is resumed
    private RunRecord _record;

    /// <summary>Makes the folder of a new run, or opens that of the run to resume.</summary>
    /// <exception cref="UsageException">The run folder cannot be made or opened; nothing has been done.</exception>
    /// <param name="plugins">The assemblies that it is made with.</param>
    public TrainingSession(RunPlan plan, ComputeInfo compute, IReadOnlyList<string> commandLine, TimeProvider clock,
        IReadOnlyList<string>? plugins = null)
    {
        (Config, _clock) = (plan.Resolved.Config, clock);
        Folder = plan.Folder is null ? RunFolder.Create(plan.Stored, clock) : RunFolder.Reopen(plan.Folder, clock);
        Folder.Plan = plan;
        _log = new PlainView(Folder.Log, _logInterval, clock);
        _earlier = Folder.IsResumed ? RunRecord.Read(Folder.Path) : null;
        _record = Record(commandLine, compute, [.. (plugins ?? []).Select(Path.GetFullPath)]);
        try
        {
            _record.Save(Folder);
        }
        catch (IOException) when (!Folder.IsResumed)
        {
            Folder.Dispose();
            Directory.Delete(Folder.Path, recursive: true); // no command would know it as a run
            throw;
        }
    }

    /// <summary>What is trained.</summary>
    public TrainerConfig Config { get; }

    /// <summary>Where its files are.</summary>
    public RunFolder Folder { get; }

    /// <summary>Why the run's record could not be written at its end; null if it was.</summary>
    public string? Problem { get; private set; }

    /// <summary>A view whose lines also go to the run's log.</summary>
    public IProgressView Logged(IProgressView view) => new LoggedView(view, _log);

    /// <summary>Trains and measures, and records how that ended.</summary>
    /// <exception cref="UserException">Any error that the user can fix; the run can be resumed then.</exception>
    public TrainingOutcome Train(Run run, IProgressView view)
    {
        run.Folder = Folder;
        if (Config.Run.MaxMinutes > 0) run.Team.Stop.AskAfter(TimeSpan.FromMinutes(Config.Run.MaxMinutes), ExitCode.LimitMissed);
        return Keep(run.Team.Stop, () => run.Team.ForAll(() => TrainingLoop.Execute(run, Logged(view))), () => run.HasBegun);
    }

    /// <summary>Does the run's work, and records how that ended.</summary>
    /// <param name="hasBegun">Whether the work has changed the run; if a resume fails before, the run is as it was.</param>
    internal TrainingOutcome Keep(StopRequest stop, Func<TrainingOutcome> work, Func<bool>? hasBegun = null)
    {
        try
        {
            var outcome = work();
            foreach (var result in outcome.Results) Log(result);
            if (outcome.Interrupted) End(RunStatus.Interrupted, stop.Code == 0 ? ExitCode.Interrupted : stop.Code);
            else End(RunStatus.Finished, ExitCode.Done);
            return outcome;
        }
        catch (Exception error)
        {
            var report = ErrorReport.Of(error, _record.Plugins);
            bool isOfCode = ErrorReport.Of(error).Code == ExitCode.Internal || PluginFailure.Of(error) is not null;
            Folder.Log.WriteLine(isOfCode ? error.ToString() : report.Sentence);
            if (_earlier is not null && hasBegun?.Invoke() == false) Write(_earlier);
            else End(report.Code == ExitCode.Diverged ? RunStatus.Diverged : RunStatus.Failed, report.Code, report.Sentence);
            throw;
        }
    }

    /// <summary>Records that the process exits in the middle of a step.</summary>
    public void ExitNow(int code) => End(RunStatus.Interrupted, code);

    /// <summary>Closes the folder.</summary>
    public void Dispose() => Folder.Dispose();

    private void Log(EvaluationResult result)
    {
        foreach (var (title, value) in result.Columns()) Folder.Log.WriteLine(
            $"result {(result.Network + " " + title).TrimStart()} {Format.Percent(value)}");
    }

    private void End(RunStatus status, int code, string? sentence = null) =>
        Write(_record with { Status = status, ExitCode = code, End = _clock.GetLocalNow(), Error = sentence });

    // If the disk is full, the record still says that the run is running; that must not hide what stopped it.
    private void Write(RunRecord record)
    {
        lock (_recordLock)
        {
            _record = record;
            try
            {
                _record.Save(Folder);
            }
            catch (IOException error)
            {
                Problem = error.Message;
            }
        }
    }

    private RunRecord Record(IReadOnlyList<string> commandLine, ComputeInfo compute, IReadOnlyList<string> plugins)
    {
        var (now, machine) = (_clock.GetLocalNow(), MachineInfo.Here());
        return _earlier is { } begun
            ? begun with
            {
                Status = RunStatus.Running,
                End = null,
                ExitCode = null,
                Error = null,
                Machine = machine,
                Compute = compute,
                Processes = Config.Run.Processes,
                Plugins = plugins.Count > 0 ? plugins : begun.Plugins,
                Resumes = [.. begun.Resumes ?? [], new RunResume(commandLine, now)]
            }
            : new RunRecord(commandLine, now, null, RunStatus.Running, null, null, machine, compute, null, Config.Run.Processes,
                plugins);
    }
}
