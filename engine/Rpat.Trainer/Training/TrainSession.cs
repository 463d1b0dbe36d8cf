using Rpat.Robust.Methods;
using Rpat.Trainer.Cli;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Output;
using Rpat.Trainer.Report;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>Everything around a training run: its folder and record, its view, signals, errors, the result and the exit code.</summary>
internal sealed class TrainSession
{
    private static readonly TimeSpan _logInterval = TimeSpan.FromSeconds(30);

    private readonly TrainerConfig _config;
    private readonly Host _host;
    private readonly RunFolder _run;
    private readonly Lock _recordLock = new();
    private RunRecord _record;

    private TrainSession(RunPlan plan, ComputeInfo compute, IReadOnlyList<string> arguments, Host host)
    {
        (_config, _host) = (plan.Resolved.Config, host);
        _run = plan.Folder is null ? RunFolder.Create(plan.Resolved, host.Clock) : RunFolder.Reopen(plan.Folder, host.Clock);
        if (plan.IsChanged) _run.WriteConfig(plan.Resolved);
        _record = Record(["rpat", .. arguments], compute);
        _record.Save(_run);
    }

    /// <summary>Runs a training loop in a new run folder, or in that of the run to resume.</summary>
    /// <param name="plan">The configuration and the folder.</param>
    /// <param name="compute">What will compute, for the record.</param>
    /// <param name="arguments">The command line, for the record.</param>
    /// <param name="host">Where results and messages go.</param>
    /// <param name="loop">The work.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="UsageException">The run folder cannot be made or opened; nothing has been done.</exception>
    public static int Run(RunPlan plan, ComputeInfo compute, IReadOnlyList<string> arguments, Host host, TrainingLoop loop)
    {
        var session = new TrainSession(plan, compute, arguments, host);
        using (session._run) return session.Execute(loop);
    }

    private int Execute(TrainingLoop loop)
    {
        using var view = new LoggedView(
            ViewFactory.Create(_config.Log, _host), new PlainView(_run.Log, _logInterval, _host.Clock));
        using var stop = new StopRequest(
            () => view.Note(StopNote()), code => Abandon(view, code))
        { Grace = TimeSpan.FromSeconds(_config.Run.Grace) };
        stop.Listen();
        if (_config.Run.MaxMinutes > 0) stop.AskAfter(TimeSpan.FromMinutes(_config.Run.MaxMinutes), ExitCode.LimitMissed);
        try
        {
            TrainingOutcome? outcome = null;
            view.Run(() => outcome = loop(_config, _run, view, stop));
            return Conclude(outcome!, stop);
        }
        catch (Exception error)
        {
            return Fail(error);
        }
    }

    private int Conclude(TrainingOutcome outcome, StopRequest stop)
    {
        foreach (var result in outcome.Results) Report(result);
        if (outcome.Interrupted)
        {
            _host.Error.WriteLine($"stopped early; resume with: {ResumeCommand()}");
            return End(RunStatus.Interrupted, stop.Code == 0 ? ExitCode.Interrupted : stop.Code);
        }

        int code = End(RunStatus.Finished, ExitCode.Done);
        _host.Out.WriteLine($"run folder: {_run.ShownPath}");
        if (WriteReport()) _host.Out.WriteLine($"report:     {Path.Combine(_run.ShownPath, ReportFile.Name)}");
        _host.Out.WriteLine($"try next:   {NextCommand()}");
        return code;
    }

    private void Report(EvaluationResult result)
    {
        ResultTable.Write(result, _host.Out);
        foreach (var (title, value) in ResultTable.Columns(result)) _run.Log.WriteLine($"result {(result.Network + " " + title).TrimStart()} {Format.Percent(value)}");
    }

    // Everything that matters is on the disk already: a report that cannot be written is said, and no failure of the run.
    private bool WriteReport()
    {
        try
        {
            ReportFile.Write(_run.PathOf(ReportFile.Name), [_run.Path]);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or UserException)
        {
            _host.Error.WriteLine($"rpat: no report: {error.Message}");
            return false;
        }
    }

    private int Fail(Exception error)
    {
        var report = ErrorReport.Of(error);
        _ = ErrorReport.Print(error, _host.Error, details: _host.Loudness.Level == LogLevel.Debug, logged: true);
        _host.Warn($"the run's log is {Path.Combine(_run.ShownPath, RunLog.FileName)}; when that is mended, resume with: {ResumeCommand()}");
        _run.Log.WriteLine(report.Code == ExitCode.Internal ? error.ToString() : report.Sentence);
        return End(report.Code == ExitCode.Diverged ? RunStatus.Diverged : RunStatus.Failed, report.Code, report.Sentence);
    }

    private int End(RunStatus status, int code, string? sentence = null)
    {
        lock (_recordLock)
        {
            _record = _record with { Status = status, ExitCode = code, End = _host.Clock.GetLocalNow(), Error = sentence };
            SaveRecord();
        }

        return code;
    }

    // Where the disk is full, the record keeps saying that the run runs; what stopped it has been said already.
    private void SaveRecord()
    {
        try
        {
            _record.Save(_run);
        }
        catch (IOException error)
        {
            _host.Error.WriteLine($"rpat: {error.Message}");
        }
    }

    private RunRecord Record(IReadOnlyList<string> commandLine, ComputeInfo compute)
    {
        var (now, machine) = (_host.Clock.GetLocalNow(), MachineInfo.Here());
        return _run.IsResumed && RunRecord.Read(_run.Path) is { } begun
            ? begun with { Status = RunStatus.Running, End = null, ExitCode = null, Error = null, Machine = machine, Compute = compute, Processes = _config.Run.Processes, Resumes = [.. begun.Resumes ?? [], new RunResume(commandLine, now)] }
            : new RunRecord(commandLine, now, null, RunStatus.Running, null, null, machine, compute, Processes: _config.Run.Processes);
    }

    private void Abandon(IProgressView view, int code)
    {
        End(RunStatus.Interrupted, code);
        view.Dispose();
        Environment.Exit(code);
    }

    private string StopNote()
    {
        string limit = _config.Run.Grace > 0 ? FormattableString.Invariant($", or unsaved after {_config.Run.Grace:0.##} s (run.grace)") : "";
        return $"stopping after this step{limit}; a second signal leaves at once";
    }

    private string ResumeCommand() => $"{Program()} train --resume {ShellWord.Quote(_run.ShownPath)}";

    // The comparison that this program exists for: the same run with and without the perception term.
    private string NextCommand()
    {
        string name = _config.Method.Name, other = _config.Method.HasRpat ? MethodCatalog.BaseName(name) : name + MethodCatalog.RpatSuffix;
        if (MethodCatalog.Find(other) is null) other = "pgd-at";
        return $"{Program()} train -c {ShellWord.Quote(Path.Combine(_run.ShownPath, "config.yaml"))} --method {other} --name {other}";
    }

    // Whoever started from the repository's root has no rpat on the path.
    private static string Program() =>
        File.Exists("engine/Rpat.Trainer/Rpat.Trainer.csproj") ? "dotnet run -c Release --project engine/Rpat.Trainer --" : "rpat";
}
