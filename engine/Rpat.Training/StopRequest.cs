namespace Rpat.Training;

/// <summary>
/// The signals' requests to the loop. The first SIGINT, SIGTERM or SIGHUP asks it to finish its step, save and return; the second exits at
/// once; SIGUSR1 asks for a checkpoint, after which it continues.
/// </summary>
internal sealed class StopRequest : IDisposable
{
    // .NET names only a few signals and accepts the system's number for any other.
    private static readonly PosixSignal _sigusr1 = (PosixSignal)(OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 30 : 10);

    private static int _savesHeld;

    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly List<Timer> _timers = [];
    private int _exitCode;
    private bool _save;
    private bool _isSignalled;
    private bool _disposed;

    /// <summary>Whether the loop should finish its step and return. Cheap enough to check after every step.</summary>
    public bool IsRequested => Volatile.Read(ref _exitCode) != 0;

    /// <summary>
    /// 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP, a limit's own code after its time, 0 if nothing was requested.
    /// </summary>
    public int Code => Volatile.Read(ref _exitCode);

    /// <summary>How long the run has before the process ends anyway; zero for no limit.</summary>
    public TimeSpan Grace { get; set; }

    /// <summary>Called on the first signal, from the signal's thread.</summary>
    public Action Announced { get; set; } = static () => { };

    /// <summary>Called on the second signal, with the exit code; ends the process.</summary>
    public Action<int> Leave { get; set; } = static _ => { };

    /// <summary>Called with the exit code before the process ends without having finished its step; may be null.</summary>
    public Action<int>? Leaving { get; set; }

    /// <summary>
    /// Holds SIGUSR1, which would end the process, from now on: the first loop that listens saves after its first step.
    /// </summary>
    public static IDisposable? HoldSaves() => OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(_sigusr1, context =>
    {
        context.Cancel = true;
        Volatile.Write(ref _savesHeld, 1);
    });

    /// <summary>Catches SIGINT (Ctrl-C), SIGTERM, SIGHUP and, if the system has it, SIGUSR1 from now until this is disposed.</summary>
    public void Listen()
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, ExitCode.Interrupted)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, ExitCode.Terminated)));
        if (!IgnoresHangUp())
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => OnSignal(context, ExitCode.HungUp)));
        if (!OperatingSystem.IsWindows()) _signals.Add(PosixSignalRegistration.Create(_sigusr1, OnSaveSignal));
        if (Interlocked.Exchange(ref _savesHeld, 0) != 0) AskToSave();
    }

    /// <summary>The effect of a signal: the first of this process requests a stop, the second exits.</summary>
    public void Ask(int exitCode)
    {
        bool isSecond = Interlocked.Exchange(ref _isSignalled, true);
        if (!AskFirst(exitCode) && isSecond) LeaveNow(exitCode);
    }

    /// <summary>Requests the stop that others have been asked for, which is no signal to this process.</summary>
    public void Follow(int exitCode) => AskFirst(exitCode);

    /// <summary>Ends the process when a time has elapsed, with nobody else to tell.</summary>
    public void LeaveAfter(TimeSpan time, int exitCode) => After(time, () => Leave(exitCode));

    /// <summary>Requests a stop when a time has elapsed, unless this was called before.</summary>
    public void AskAfter(TimeSpan time, int exitCode) => After(time, () => AskFirst(exitCode));

    // A process that was started by nohup outlives its terminal.
    private static bool IgnoresHangUp()
    {
        const string status = "/proc/self/status", mask = "SigIgn:";
        if (!File.Exists(status)) return false;
        string? line = File.ReadLines(status).FirstOrDefault(text => text.StartsWith(mask, StringComparison.Ordinal));
        return line is not null && ulong.TryParse(line.AsSpan(mask.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture,
            out ulong ignored)
            && (ignored & 1) != 0;
    }

    private bool AskFirst(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0) return false;
        Announced();
        if (Grace > TimeSpan.Zero) After(Grace, () => LeaveNow(exitCode));
        return true;
    }

    private void LeaveNow(int exitCode)
    {
        Leaving?.Invoke(exitCode);
        Leave(exitCode);
    }

    private void After(TimeSpan time, Action action)
    {
        lock (_timers)
        {
            if (!_disposed) _timers.Add(new Timer(_ => action(), null, time, Timeout.InfiniteTimeSpan));
        }
    }

    /// <summary>Requests a checkpoint.</summary>
    public void AskToSave() => Volatile.Write(ref _save, true);

    /// <summary>Whether a checkpoint was requested since this was last called.</summary>
    public bool ConsumeSaveRequest() => Volatile.Read(ref _save) && Interlocked.Exchange(ref _save, false);

    /// <summary>Returns the signals to the system, and drops all limits.</summary>
    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        lock (_timers)
        {
            _disposed = true; // A limit that elapses just now must not start the grace period of a run that is over.
            _timers.ForEach(timer => timer.Dispose());
        }
    }

    private void OnSignal(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        Ask(exitCode);
    }

    private void OnSaveSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        AskToSave();
    }
}
