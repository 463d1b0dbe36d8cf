using Rpat.Trainer.View;

namespace Rpat.Trainer.Reproduce;

/// <summary>Runs the commands of a reproduction: each is logged in its job's folder, and the last error of each job is kept.</summary>
internal sealed class ReproduceSteps(CommandContext host, Func<string[], CommandContext, int> program)
{
    private readonly Dictionary<string, string> _failures = [];

    /// <summary>Why a job's last step failed, or null.</summary>
    public string? FailureOf(ReproduceJob job) => _failures.GetValueOrDefault(job.Name);

    /// <summary>Trains a job after those that it needs; nothing if its run is finished.</summary>
    /// <returns>The exit code of the first step that failed, or 0.</returns>
    public int Train(ReproduceJob job, string title)
    {
        if (job.Run is not null) return ExitCode.Done;
        foreach (var (key, need) in job.Needs)
        {
            int code = Train(need, $"{title}: {key} of {need.Recipe}");
            if (code == ExitCode.Done) continue;
            if (!ExitCode.IsStop(code)) _failures[job.Name] = $"{need.Recipe}, which it needs: {FailureOf(need) ?? "not trained"}";
            return code;
        }
        return Step(job, title, "training", job.TrainCommand());
    }

    /// <summary>Runs one command.</summary>
    /// <param name="what">What it does, in one word.</param>
    /// <param name="result">The file that exists when it is done; one that cannot be trusted is removed.</param>
    /// <returns>Its exit code.</returns>
    public int Step(ReproduceJob job, string title, string what, string[] command, string? result = null)
    {
        AtomicFile.MakeFolder(job.Folder);
        long start = Stopwatch.GetTimestamp();
        host.Note($"{title}: {what}: rpat {string.Join(' ', command)}");
        using var lines = new PrefixedLines(host.Error, title);
        using var log = new StreamWriter(AtomicFile.OpenToGrow(Path.Combine(job.Folder, "commands.log"), FileShare.None))
        { AutoFlush = true };
        log.WriteLine($"$ rpat {string.Join(' ', command)}");
        // Only what the plan says counts, and is recorded.
        int code = program(command, host with
        { Out = log, Error = lines, ErrorIsTerminal = false, Environment = Layers.WithoutKeys(host.Environment) });
        if (code == ExitCode.Untrusted && result is not null) File.Delete(result);
        string time = Format.Duration(Stopwatch.GetElapsedTime(start));
        host.Note($"{title}: {what} {(code == ExitCode.Done ? "done" : ExitCode.IsStop(code) ? "stopped" : "failed")} after {time}");
        if (code != ExitCode.Done && !ExitCode.IsStop(code))
            _failures[job.Name] = lines.Sentence ?? FormattableString.Invariant($"exit code {code}");
        return code;
    }
}
