using Rpat.Trainer.Report;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary>A training run as a command line shows it: the view, signals, results or errors, and the exit code.</summary>
internal sealed class TrainConsole(TrainingSession session, StopRequest stop, CommandContext host)
{
    private string Folder => session.Folder.ShownPath;

    private string ResumeCommand =>
        $"rpat {ShellWord.Line(["train", "--resume", Folder, .. RunPlugins.Options(session.Folder.Path)])}";

    /// <summary>Shows a run.</summary>
    /// <param name="train">The run's work, given where progress goes.</param>
    /// <returns>The process's exit code.</returns>
    public int Run(Func<IProgressView, TrainingOutcome> train)
    {
        var view = ViewFactory.Create(session.Config.Log, host);
        var terminal = view as IDisposable;
        stop.Announced = () => session.Logged(view).Note(StopNote());
        stop.Leave = code =>
        {
            session.ExitNow(code);
            terminal?.Dispose();
            Environment.Exit(code);
        };
        stop.Grace = TimeSpan.FromSeconds(session.Config.Run.Grace);
        stop.Listen();
        try
        {
            TrainingOutcome outcome;
            try
            {
                outcome = train(view);
            }
            finally
            {
                terminal?.Dispose();
            }
            return Conclude(outcome);
        }
        catch (Exception error)
        {
            return Fail(error);
        }
        finally
        {
            if (session.Problem is { } problem) host.Error.WriteLine($"rpat: {problem}");
        }
    }

    private int Conclude(TrainingOutcome outcome)
    {
        foreach (var result in outcome.Results) ResultTable.Write(result, host.Out);
        if (outcome.Interrupted)
        {
            host.Error.WriteLine($"stopped early; resume with: {ResumeCommand}");
            return stop.Code == 0 ? ExitCode.Interrupted : stop.Code;
        }

        host.Out.WriteLine($"run folder: {Folder}");
        if (WriteReport()) host.Out.WriteLine($"report:     {Path.Combine(Folder, RunContents.Report)}");
        if (!host.IsPart) host.Out.WriteLine($"try next:   {NextStep.Of(session.Folder.Path, Folder)}");
        return ExitCode.Done;
    }

    // Everything that matters is on the disk already: a report that cannot be written is mentioned but does not fail the run.
    private bool WriteReport()
    {
        try
        {
            ReportFile.Write(session.Folder.PathOf(RunContents.Report), [session.Folder.Path]);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or UserException)
        {
            host.Error.WriteLine($"rpat: no report: {error.Message}");
            return false;
        }
    }

    private int Fail(Exception error)
    {
        int code = ErrorOutput.Print(error, host.Error, details: host.Loudness.Level == LogLevel.Debug, logged: true, plugins: host.Plugins);
        if (error is PeerLostException { Code: 0 }) return code;
        host.Warn($"the run's log is {Path.Combine(Folder, RunLog.FileName)}; " + (error is DivergedException
            ? $"change that in a new run, or in this one with: {ResumeCommand} --allow-change optimizer.lr --lr RATE"
            : $"when that is mended, resume with: {ResumeCommand}"));
        return code;
    }

    private string StopNote()
    {
        double grace = session.Config.Run.Grace;
        string limit = grace <= 0 ? ""
            : FormattableString.Invariant($"; if that takes over {grace:0.##} s (run.grace), it stops without saving");
        return $"stopping as soon as the run can be resumed{limit}; a second signal stops at once";
    }
}
