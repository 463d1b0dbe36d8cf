using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Distributed;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>The measurements at the end of a run: of the last network, and of the one that validation found the most robust.</summary>
internal static class FinalEvaluation
{
    /// <summary>Measures both under each configured attack.</summary>
    /// <returns>The results; null when a stop was asked for before they were complete.</returns>
    public static IReadOnlyList<EvaluationResult>? Run(
        TrainingSetup setup, TrainerConfig config, RunFolder run, RunState state, RunReporter report, RunTeam team)
    {
        try
        {
            int last = state.Epoch - 1, best = state.Monitor.BestEpoch;
            List<EvaluationResult> results = [Measure(setup, config, best == 0 ? "" : $"last epoch ({last})", "test", report, team)];
            if (!team.Share(best != 0 && best != last)) return results;
            Load(setup, run.PathOf(CheckpointFile.Best));
            team.ShareReported(setup);
            results.Add(Measure(setup, config, $"best epoch ({best})", "test_best", report, team));
            return results;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static EvaluationResult Measure(
        TrainingSetup setup, TrainerConfig config, string network, string split, RunReporter report, RunTeam team)
    {
        var (images, evaluator) = (setup.TestImages, new Evaluator(setup.Reported, config.Eval.Batch));
        var scores = new List<Score>();
        foreach (var attack in config.Eval.Attacks)
        {
            var start = report.Elapsed;
            var accuracy = team.Evaluate(evaluator, images, attack.Steps == 0 ? null : setup.Attack(attack.Steps), setup.Seed, done =>
            {
                if (report.View.Due) report.View.Update(Snapshot(attack, done, images.Count, (report.Elapsed - start).TotalSeconds, report.Elapsed));
            }, stops: true);
            scores.Add(new Score(attack.Title, attack.Steps == 0, accuracy.Fraction));
        }
        return new EvaluationResult(images.Count, Threat(config.Attack), scores) { Network = network, Split = split };
    }

    // Training is over and saved: its network may be overwritten.
    private static void Load(TrainingSetup setup, string path)
    {
        using var file = Safetensors.Read(path);
        file.CheckDigest();
        setup.Reported.Load(file.Tensors.Keys.Select(file.Load).ToDictionary(array => array.Name));
    }

    private static ProgressSnapshot Snapshot(EvalAttack attack, int done, int count, double seconds, TimeSpan elapsed)
    {
        double speed = done / Math.Max(1e-9, seconds);
        return new ProgressSnapshot($"eval {attack.Name}", 0, 0, done, count, 0, double.NaN, [], [], speed, elapsed, TimeSpan.FromSeconds((count - done) / speed));
    }

    private static string Threat(AttackSection attack) => $"{attack.Norm.Name} eps {Format.Pixels(attack.Eps)}";
}
