using System.ComponentModel;

namespace Rpat.Training.Runs;

/// <summary>The Slurm job that this process belongs to.</summary>
internal static class SlurmJob
{
    private const int PatienceMs = 30_000;

    /// <summary>
    /// Puts this process's job back into the queue; Slurm then ends it and starts it again later, for which <c>--resume auto</c> is meant.
    /// </summary>
    /// <returns>What was done, or why it was not, as one line for the log.</returns>
    public static string RequeueThis()
    {
        if (Id() is not { } id) return "run.requeue: this is not a Slurm job, so nothing is put back into the queue.";
        try
        {
            using var scontrol = Process.Start(new ProcessStartInfo("scontrol", ["requeue", id]) { RedirectStandardError = true })!;
            string said = scontrol.StandardError.ReadToEnd().Trim();
            if (!scontrol.WaitForExit(PatienceMs)) return $"run.requeue: 'scontrol requeue {id}' does not answer; the run continues.";
            return scontrol.ExitCode == 0 ? $"saved, and Slurm job {id} is put back into the queue"
                : $"run.requeue: 'scontrol requeue {id}' failed ({said}); the run continues.";
        }
        catch (Win32Exception error)
        {
            return $"run.requeue: 'scontrol' cannot be started ({error.Message.TrimEnd('.')}); the run continues.";
        }
    }

    // An interactive shell is a job too, but cannot be started again. A task of an array has its own name.
    private static string? Id()
    {
        if (Variable("SLURM_JOB_NAME") is "bash" or "interactive") return null;
        return Variable("SLURM_ARRAY_JOB_ID") is { } array && Variable("SLURM_ARRAY_TASK_ID") is { } task ? $"{array}_{task}"
            : Variable("SLURM_JOB_ID");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
