namespace Rpat.Trainer.View;

/// <summary>Shows notes only: they are warnings, which <c>--progress none</c> does not switch off.</summary>
/// <param name="output">Where notes go.</param>
internal sealed class SilentView(TextWriter output) : IProgressView
{
    /// <inheritdoc/>
    public bool Due => false;

    /// <inheritdoc/>
    public void Run(Action work) => work();

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
    public void Note(string line) => output.WriteLine(line);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held.
    }
}
