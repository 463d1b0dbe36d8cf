namespace Rpat.Trainer.Evaluation;

/// <summary>An evaluation as a command line shows it: its progress, and a stop from which it can be resumed.</summary>
internal sealed class EvalConsole : IDisposable
{
    private readonly CommandContext _host;
    private readonly IReadOnlyList<string> _earlier;
    private readonly bool _resume;
    private readonly StopRequest _stop = new() { Leave = Environment.Exit };
    private readonly EvalProgressLines _lines;
    private readonly string _made;

    /// <summary>Listens to signals from here on.</summary>
    /// <param name="folder">The evaluation's.</param>
    /// <param name="resume">Whether it may hold a part of the evaluation.</param>
    /// <param name="earlier">Folders of which one that holds the same evaluation, finished, is taken instead.</param>
    public EvalConsole(CommandContext host, string folder, bool resume, IReadOnlyList<string> earlier)
    {
        (_host, Folder, _made, _earlier, _lines) = (host, folder, folder, resume ? [] : earlier, new EvalProgressLines(host));
        _resume = resume || !Path.Exists(Path.Combine(folder, EvaluationManifest.FileName));
        _stop.Announced = () => _lines.Note("stopping; a second signal stops at once");
        _stop.Listen();
    }

    /// <summary>The folder that has the result.</summary>
    public string Folder { get; private set; }

    /// <summary>Whether the folder stays; otherwise it goes with the console.</summary>
    public bool Keeps { get; init; } = true;

    /// <summary>Does the evaluation, and what comes after it.</summary>
    /// <returns>The work's exit code, or that of a stop.</returns>
    public int Run(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (OperationCanceledException)
        {
            _lines.Dispose();
            _host.Error.WriteLine(Keeps ? $"stopped; what is done is in {Folder}: resume with the same command and --resume"
                : "stopped; nothing is kept: repeat the command");
            return _stop.Code;
        }
    }

    /// <summary>Evaluates a network.</summary>
    /// <exception cref="DataException">Its images, or the folder's content, do not fit it.</exception>
    public EvaluationReport Evaluate(Classifier net, EvaluationPlan plan, float[] images, int[] labels)
    {
        var evaluation = Prepared(net, plan, images, labels);
        foreach (string earlier in _earlier)
            if (evaluation.FinishedIn(earlier) is { } report) return Known(earlier, report);
        evaluation.Log = _lines.Note;
        evaluation.Progress = p =>
        {
            Tick();
            if (_host.Loudness.Level >= LogLevel.Info) _lines.Show(p);
        };
        return evaluation.Run(_resume);
    }

    /// <summary>Measures a network on corruptions.</summary>
    /// <exception cref="DataException">The folder's content does not fit.</exception>
    public CorruptionReport Measure(Classifier net, Corruptions set, EvaluationManifest plan, int batch)
    {
        foreach (string earlier in _earlier)
            if (CorruptionReport.IsWholeIn(earlier) && CorruptionReport.IsOf(earlier, plan))
                return Known(earlier, CorruptionReport.In(earlier)!);
        return CorruptionReport.Measure(net, set, plan, Folder, batch, _resume, _lines.Note, Tick);
    }

    /// <summary>Erases the line of progress: results follow.</summary>
    public void Done() => _lines.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _lines.Dispose();
        _stop.Dispose();
        if (!Keeps && Directory.Exists(_made)) Directory.Delete(_made, recursive: true);
    }

    private void Tick()
    {
        if (_stop.IsRequested) throw new OperationCanceledException();
    }

    private T Known<T>(string folder, T report)
    {
        Folder = folder;
        _lines.Note(
            $"note: measured before, with the same weights, images and settings: {RunFinder.Shown(folder)}; --again measures it again");
        return report;
    }

    private RobustEvaluation Prepared(Classifier net, EvaluationPlan plan, float[] images, int[] labels)
    {
        try
        {
            return new RobustEvaluation(net, plan, images, labels, Folder);
        }
        catch (ArgumentException error)
        {
            throw new DataException(error.Message, error);
        }
    }
}
