namespace Rpat.Training;

/// <summary>Measures the reported network of a run: after an epoch to choose a checkpoint, and at
/// the end. The ranks divide the images.</summary>
internal sealed class RunEvaluation(Run run)
{
    private (Classifier Net, Evaluator Evaluator)? _measured;

    /// <summary>Receives what is measured, the images done so far and in all, and the time since this attack began.</summary>
    public delegate void Measured(string attack, int done, int count, TimeSpan time);

    /// <summary>Whether to measure the epoch that has just been trained.</summary>
    public bool IsDue =>
        run.ChoosingImages is not null && (run.State.Epoch % run.Config.Eval.Every == 0 || run.State.Step >= run.TotalSteps);

    /// <summary>The accuracy on the selection images, without an attack and under the monitored one.</summary>
    /// <returns>Both; null if a stop was requested before they were complete.</returns>
    public (double Clean, double Robust)? Choose(Measured progress)
    {
        try
        {
            double clean = Measure(run.ChoosingImages!, EvalAttack.Clean, progress);
            var monitor = run.Config.Eval.Monitor;
            return (clean, monitor.IsClean ? clean : Measure(run.ChoosingImages!, monitor, progress));
        }
        catch (OperationCanceledException) when (run.Team.IsStopping)
        {
            return null;
        }
    }

    /// <summary>Measures the last network and the one that validation found the most robust, under each configured attack.</summary>
    /// <returns>The results; null if a stop was requested before they were complete.</returns>
    public IReadOnlyList<EvaluationResult>? Final(Measured progress)
    {
        try
        {
            int last = run.State.Epoch - 1, best = run.State.Monitor.BestEpoch;
            List<EvaluationResult> results = [Measure(best == 0 ? "" : $"last epoch ({last})", "test", progress)];
            if (!run.Team.Broadcast(best != 0 && best != last)) return results; // as on rank 0
            if (run.Team.IsFirst) Load(run.Folder.PathOf(CheckpointFile.Best));
            run.Team.ShareReported(run);
            results.Add(Measure($"best epoch ({best})", "test_best", progress));
            return results;
        }
        catch (OperationCanceledException) when (run.Team.IsStopping)
        {
            return null;
        }
    }

    private EvaluationResult Measure(string network, string split, Measured progress)
    {
        var (images, threat) = (run.TestImages, run.Config.Attack);
        var scores = new List<Score>();
        foreach (var attack in run.Config.Eval.Attacks)
            scores.Add(new Score(attack.Title, attack.IsClean, Measure(images, attack, progress)));
        return new EvaluationResult(images.Count, $"{threat.Norm.Name} eps {Format.Pixels(threat.Eps)}", scores)
        { Network = network, Split = split };
    }

    // The reported network changes when averaged weights take over.
    private double Measure(LabeledImages images, EvalAttack attack, Measured progress)
    {
        long start = Stopwatch.GetTimestamp();
        if (_measured?.Net != run.Reported)
        {
            _measured?.Evaluator.Dispose();
            _measured = (run.Reported, new Evaluator(run.Reported, run.Config.Eval.Batch));
        }
        return run.Team.Evaluate(_measured!.Value.Evaluator, images, attack.Suite(run.Config.Attack, run.Model.Classes), run.Seed,
            done => progress(attack.Title, done, images.Count, Stopwatch.GetElapsedTime(start))).Fraction;
    }

    // Training is over and saved: its network may be overwritten.
    private void Load(string path)
    {
        using var file = Safetensors.Read(path);
        file.CheckDigest();
        run.Reported.Load(file.Tensors.Keys.Select(file.Load));
    }
}
