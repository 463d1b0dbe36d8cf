using Rpat.Trainer.View;

namespace Rpat.Trainer.Evaluation;

/// <summary>
/// An evaluation's progress on stderr: what runs, images done and not yet fooled, time left, evaluations per second. In a terminal it is
/// one line that is redrawn, otherwise a line now and then.
/// </summary>
internal sealed class EvalProgressLines(CommandContext host) : IDisposable
{
    private readonly long _start = host.Clock.GetTimestamp();
    private readonly LiveView? _live = ViewFactory.LiveOf(host);
    private long _last = host.Clock.GetTimestamp();

    private static TimeSpan Interval => TimeSpan.FromSeconds(30);

    /// <summary>Prints a note above the line.</summary>
    public void Note(string line)
    {
        if (_live is null) host.Note(line);
        else _live.Note(line);
    }

    /// <summary>Shows a state if it is time to.</summary>
    public void Show(EvaluationProgress p)
    {
        if (p.Forwards == 0 || (_live?.Due ?? host.Clock.GetElapsedTime(_last) >= Interval) is false) return;
        _last = host.Clock.GetTimestamp();
        string text = Text(p, host.Clock.GetElapsedTime(_start));
        if (_live is null) host.Error.WriteLine(text);
        else _live.Show(text);
    }

    /// <summary>Erases the line.</summary>
    public void Dispose() => _live?.Dispose();

    /// <summary>The line; what matters least comes last, where a narrow terminal cuts it.</summary>
    /// <param name="time">Since the start.</param>
    public static string Text(EvaluationProgress p, TimeSpan time)
    {
        double speed = p.Forwards / Math.Max(1e-9, time.TotalSeconds);
        // A gradient counts as three evaluations in the estimate and as one in the speed: gradients dominate, so the speed is multiplied by
        // three.
        var left = TimeSpan.FromSeconds(Math.Min(1e8, p.CostLeft / Math.Max(1, 3 * speed)));
        string alive = p.Title == "clean" ? "" : FormattableString.Invariant($"  not fooled {p.Alive}");
        return FormattableString.Invariant(
            $"{p.Title}  {p.Done}/{p.Images} images{alive}  left at most {Format.Duration(left)}  {speed:F0} evaluations/s");
    }
}
