using Rpat.Trainer.Cli;

namespace Rpat.Trainer.View;

/// <summary>Shows no progress; notes and warnings only as far as the host says them, which
/// <c>--progress none</c> does not switch off.</summary>
internal sealed class SilentView(CommandContext host) : IProgressView
{
    /// <inheritdoc/>
    public bool Due => false;

    /// <inheritdoc/>
    public void Update(ProgressSnapshot snapshot)
    {
        // Silence is what was asked for.
    }

    /// <inheritdoc/>
    public void EpochDone(EpochSummary epoch)
    {
        // Silence is what was asked for.
    }

    /// <inheritdoc/>
    public void Note(string line) => host.Note(line);

    /// <inheritdoc/>
    public void Warn(string line) => host.Warn(line);
}
