using System.Diagnostics;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>The measurements at the end of a run.</summary>
internal static class FinalEvaluation
{
    /// <summary>Measures the reported network under each configured attack.</summary>
    /// <returns>The result; null when a stop was asked for before it was complete.</returns>
    public static EvaluationResult? Run(TrainingSetup setup, TrainerConfig config, LabeledImages images, IProgressView view, StopRequest stop, Stopwatch clock)
    {
        try
        {
            return Measure(setup, config, images, view, stop, clock);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static EvaluationResult Measure(
        TrainingSetup setup, TrainerConfig config, LabeledImages images, IProgressView view, StopRequest stop, Stopwatch clock)
    {
        var evaluator = new Evaluator(setup.Reported, config.Eval.Batch);
        var scores = new List<Score>();
        foreach (var attack in config.Eval.Attacks)
        {
            double start = clock.Elapsed.TotalSeconds;
            var accuracy = evaluator.Run(images, attack.Steps == 0 ? null : setup.Attack(attack.Steps), setup.Seed, done =>
            {
                if (stop.IsRequested) throw new OperationCanceledException();
                if (view.Due) view.Update(Snapshot(attack, done, images.Count, clock.Elapsed.TotalSeconds - start, clock.Elapsed));
            });
            scores.Add(new Score(attack.Title, attack.Steps == 0, accuracy.Fraction));
        }
        return new EvaluationResult(images.Count, Threat(config.Attack), scores);
    }

    private static ProgressSnapshot Snapshot(EvalAttack attack, int done, int count, double seconds, TimeSpan elapsed)
    {
        double speed = done / Math.Max(1e-9, seconds);
        return new ProgressSnapshot($"eval {attack.Name}", 0, 0, done, count, 0, double.NaN, [], [], speed, elapsed, TimeSpan.FromSeconds((count - done) / speed));
    }

    private static string Threat(AttackSection attack) => $"{attack.Norm.ToString().ToLowerInvariant()} eps {Format.Pixels(attack.Eps)}";
}
