using System.Runtime.InteropServices;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Training;

/// <summary>
/// What signals ask of the loop. The first SIGINT or SIGTERM asks it to finish its step, save and return; the second leaves at once;
/// SIGUSR1 asks for a checkpoint, after which it goes on.
/// </summary>
/// <param name="announce">Told on the first signal, from the signal's thread.</param>
/// <param name="leave">Told on the second signal, with the exit code; ends the process.</param>
internal sealed class StopRequest(Action announce, Action<int> leave) : IDisposable
{
    // .NET names only a few signals and takes the system's number of any other.
    private static readonly PosixSignal _sigusr1 = (PosixSignal)(OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 30 : 10);

    private readonly List<PosixSignalRegistration> _signals = [];
    private int _exitCode;
    private bool _save;

    /// <summary>Whether the loop should finish its step and return. Cheap enough to ask after every step.</summary>
    public bool IsRequested => Volatile.Read(ref _exitCode) != 0;

    /// <summary>130 after SIGINT, 143 after SIGTERM, 0 when nothing was asked.</summary>
    public int Code => Volatile.Read(ref _exitCode);

    /// <summary>A request that no signal reaches, for embedding and tests; <see cref="Ask"/> makes it.</summary>
    public static StopRequest Silent() => new(static () => { }, static _ => { });

    /// <summary>Catches SIGINT (Ctrl-C), SIGTERM and, where there is one, SIGUSR1 from now until this is disposed.</summary>
    public void Listen()
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, ExitCode.Interrupted)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, ExitCode.Terminated)));
        if (!OperatingSystem.IsWindows()) _signals.Add(PosixSignalRegistration.Create(_sigusr1, OnSaveSignal));
    }

    /// <summary>What a signal does: the first asks, the second leaves.</summary>
    /// <param name="exitCode">The exit code that belongs to the signal.</param>
    public void Ask(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0) announce();
        else leave(exitCode);
    }

    /// <summary>Asks for a checkpoint.</summary>
    public void AskToSave() => Volatile.Write(ref _save, true);

    /// <summary>Whether a checkpoint was asked for since this was last called.</summary>
    public bool TakeSave() => Volatile.Read(ref _save) && Interlocked.Exchange(ref _save, false);

    /// <summary>Gives the signals back to the system.</summary>
    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

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
