using System.ComponentModel;

namespace Rpat.Training.Runs;

/// <summary>The Slurm job that this process belongs to.</summary>
internal static class SlurmJob
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Puts this process's job back into the queue; Slurm then ends it and starts it again later, for which <c>--resume auto</c> is meant.
    /// </summary>
    /// <returns>What was done, or why it was not, as one line for the log.</returns>
    public static string RequeueThis() => Id() is { } id ? Requeue(id, "scontrol", _patience)
        : "run.requeue: this is not a Slurm job, so nothing is put back into the queue.";

    internal static string Requeue(string id, string program, TimeSpan patience)
    {
        try
        {
            using var scontrol = Process.Start(new ProcessStartInfo(program, ["requeue", id]) { RedirectStandardError = true })!;
            var said = scontrol.StandardError.ReadToEndAsync(); // ends with the program, which may hang
            if (!said.Wait(patience) || !scontrol.WaitForExit(patience))
            {
                scontrol.Kill(entireProcessTree: true);
                return $"run.requeue: 'scontrol requeue {id}' does not answer; the run continues.";
            }
            return scontrol.ExitCode == 0 ? $"saved, and Slurm job {id} is put back into the queue"
                : $"run.requeue: 'scontrol requeue {id}' failed ({said.Result.Trim()}); the run continues.";
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
