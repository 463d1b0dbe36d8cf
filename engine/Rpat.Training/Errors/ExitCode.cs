namespace Rpat.Training.Errors;

/// <summary>The exit codes of <c>rpat</c>; scripts rely on them, so a number never changes its meaning.</summary>
internal static class ExitCode
{
    /// <summary>Everything requested was done.</summary>
    public const int Done = 0;

    /// <summary>An internal error of the program.</summary>
    public const int Internal = 1;

    /// <summary>A wrong command line, configuration or output folder.</summary>
    public const int Usage = 2;

    /// <summary>Data missing or damaged.</summary>
    public const int Data = 3;

    /// <summary>A device or its driver failed or is missing.</summary>
    public const int Device = 4;

    /// <summary>Training diverged.</summary>
    public const int Diverged = 5;

    /// <summary>A checkpoint is damaged or does not fit the model.</summary>
    public const int Checkpoint = 6;

    /// <summary>A limit was missed: an accuracy below the requested one, or a run's time limit.</summary>
    public const int LimitMissed = 7;

    /// <summary>A result cannot be trusted: an example outside its threat model, or files that do not agree.</summary>
    public const int Untrusted = 8;

    /// <summary>The terminal went away, SIGHUP (128 + 1), as shells number it.</summary>
    public const int HungUp = 129;

    /// <summary>Stopped by SIGINT (128 + 2), as shells number it.</summary>
    public const int Interrupted = 130;

    /// <summary>The reader of stdout closed it before the end, SIGPIPE (128 + 13), as shells number it.</summary>
    public const int NobodyReads = 141;

    /// <summary>Stopped by SIGTERM (128 + 15), as shells number it.</summary>
    public const int Terminated = 143;

    /// <summary>Whether a signal stopped a process, which is no failure of what it did.</summary>
    public static bool IsStop(int code) => code is HungUp or Interrupted or Terminated;
}
