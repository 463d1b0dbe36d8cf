using System.Runtime.InteropServices;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Training;

/// <summary>
/// The user's wish to stop. The first SIGINT or SIGTERM asks the loop to finish its step and return; the second leaves at once.
/// </summary>
/// <param name="announce">Told on the first signal, from the signal's thread.</param>
/// <param name="leave">Told on the second signal, with the exit code; ends the process.</param>
internal sealed class StopRequest(Action announce, Action<int> leave) : IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _exitCode;

    /// <summary>Whether the loop should finish its step and return. Cheap enough to ask after every step.</summary>
    public bool IsRequested => Volatile.Read(ref _exitCode) != 0;

    /// <summary>130 after SIGINT, 143 after SIGTERM, 0 when nothing was asked.</summary>
    public int Code => Volatile.Read(ref _exitCode);

    /// <summary>A request that no signal reaches, for embedding and tests; <see cref="Ask"/> makes it.</summary>
    public static StopRequest Silent() => new(static () => { }, static _ => { });

    /// <summary>Catches SIGINT (Ctrl-C) and SIGTERM from now until this is disposed.</summary>
    public void Listen()
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, ExitCode.Interrupted)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, ExitCode.Terminated)));
    }

    /// <summary>What a signal does: the first asks, the second leaves.</summary>
    /// <param name="exitCode">The exit code that belongs to the signal.</param>
    public void Ask(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0) announce();
        else leave(exitCode);
    }

    /// <summary>Gives the signals back to the system.</summary>
    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    private void OnSignal(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        Ask(exitCode);
    }
}
