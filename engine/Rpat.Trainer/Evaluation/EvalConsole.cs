namespace Rpat.Trainer.Evaluation;

/// <summary>An evaluation as a command line shows it: its progress, and a stop from which it can be resumed.</summary>
internal sealed class EvalConsole : IDisposable
{
    private readonly CommandContext _host;
    private readonly string _folder;
    private readonly bool _resume;
    private readonly StopRequest _stop = new() { Leave = Environment.Exit };
    private readonly EvalProgressLines _lines;

    /// <summary>Listens to signals from here on.</summary>
    /// <param name="folder">The evaluation's.</param>
    /// <param name="resume">Whether it may hold a part of the evaluation.</param>
    public EvalConsole(CommandContext host, string folder, bool resume)
    {
        (_host, _folder, _lines) = (host, folder, new EvalProgressLines(host));
        _resume = resume || !Path.Exists(Path.Combine(folder, EvaluationManifest.FileName));
        _stop.Announced = () => _lines.Note("stopping; a second signal leaves at once");
        _stop.Listen();
    }

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
            _host.Error.WriteLine($"stopped; what is done is in {_folder}: resume with the same command and --resume");
            return _stop.Code;
        }
    }

    /// <summary>Evaluates a network.</summary>
    /// <exception cref="DataException">Its images, or the folder's content, do not fit it.</exception>
    public EvaluationReport Evaluate(Classifier net, EvaluationPlan plan, float[] images, int[] labels)
    {
        var evaluation = Prepared(net, plan, images, labels);
        evaluation.Log = _lines.Note;
        evaluation.Progress = p =>
        {
            if (_stop.IsRequested) throw new OperationCanceledException();
            if (_host.Loudness.Level >= LogLevel.Info) _lines.Show(p);
        };
        return evaluation.Run(_resume);
    }

    /// <summary>Erases the line of progress: results follow.</summary>
    public void Done() => _lines.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _lines.Dispose();
        _stop.Dispose();
    }

    private RobustEvaluation Prepared(Classifier net, EvaluationPlan plan, float[] images, int[] labels)
    {
        try
        {
            return new RobustEvaluation(net, plan, images, labels, _folder);
        }
        catch (ArgumentException error)
        {
            throw new DataException(error.Message, error);
        }
    }
}
