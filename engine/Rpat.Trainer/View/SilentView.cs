using Rpat.Trainer.Cli;

namespace Rpat.Trainer.View;

/// <summary>
/// Shows no progress, only the notes and warnings that the command context prints, which <c>--progress none</c> does not switch off.
/// </summary>
internal sealed class SilentView(CommandContext host) : IProgressView
{
    /// <inheritdoc/>
    public bool Due => false;

    /// <inheritdoc/>
    public void Update(ProgressSnapshot snapshot)
    {
        // Shows nothing, as requested.
    }

    /// <inheritdoc/>
    public void EpochDone(EpochSummary epoch)
    {
        // Shows nothing, as requested.
    }

    /// <inheritdoc/>
    public void Note(string line) => host.Note(line);

    /// <inheritdoc/>
    public void Warn(string line) => host.Warn(line);
}
