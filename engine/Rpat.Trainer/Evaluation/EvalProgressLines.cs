using Rpat.Trainer.View;

namespace Rpat.Trainer.Evaluation;

/// <summary>An evaluation's progress as lines on stderr: what runs, images done and alive, evaluations per second, time left.</summary>
internal sealed class EvalProgressLines(TextWriter output, TimeSpan interval, TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();
    private long _last = clock.GetTimestamp();

    /// <summary>Shows a state if it is time to.</summary>
    public void Show(EvaluationProgress p)
    {
        if (clock.GetElapsedTime(_last) < interval) return;
        _last = clock.GetTimestamp();
        double speed = p.Forwards / Math.Max(1e-9, clock.GetElapsedTime(_start).TotalSeconds);
        // A gradient counts as three evaluations in the estimate and as one in the speed: gradients dominate, so the speed is multiplied by
        // three.
        var left = TimeSpan.FromSeconds(Math.Min(1e8, p.CostLeft / Math.Max(1, 3 * speed)));
        output.WriteLine(FormattableString.Invariant(
            $"{p.Title}  {p.Done}/{p.Images} images  alive {p.Alive}  {speed:F0} evaluations/s  left at most {Format.Duration(left)}"));
    }
}
