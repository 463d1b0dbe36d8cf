namespace Rpat.Training;

/// <summary>The cost of a run, estimated from a few of its own steps.</summary>
internal sealed record CostEstimate(
    long Parameters, int Steps, int Batch, double StepSeconds, double EvaluationSeconds, long MemoryBytes, DiskNeed Disk)
{
    /// <summary>Number of processes that divide each batch.</summary>
    public int Processes { get; init; } = 1;

    private const int AttackedImages = 1000;

    private const double MeasureSeconds = 1;
    private const int MostSteps = 20;

    /// <summary>
    /// Number of images of <see cref="AutoAttack"/>, and its time if all of them withstand every attack: the longest that it can take.
    /// </summary>
    public (int Images, TimeSpan Longest) AutoAttack { get; init; }

    /// <summary>Time of the whole run.</summary>
    public TimeSpan Total => TimeSpan.FromSeconds(Steps * StepSeconds + EvaluationSeconds);

    /// <summary>Makes an estimate by training and evaluating briefly; the network cannot be used afterwards.</summary>
    public static CostEstimate Of(Run run)
    {
        int processes = run.Config.Run.Processes;
        double step = StepTime(run, processes), evaluation = SecondsPerEvaluation(run);
        using var process = Process.GetCurrentProcess();
        return new CostEstimate(
            run.Net.Parameters.Count, run.TotalSteps, run.Batch, step, EvaluationTime(run, evaluation) / processes,
            process.PeakWorkingSet64, DiskNeed.Of(run))
        {
            AutoAttack = AutoAttackTime(run, evaluation),
            Processes = processes,
        };
    }

    /// <summary>The estimate as comments for a configuration file.</summary>
    public string Comments()
    {
        var text = new StringWriter { NewLine = "\n" };
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"# forecast   {Parameters:N0} parameters; {Steps:N0} steps of {Batch} images"));
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"#   time     {Format.Duration(Total)}: {StepSeconds * 1000:F0} ms a step, "
                + $"{Format.Duration(TimeSpan.FromSeconds(EvaluationSeconds))} for evaluations, as measured now"));
        if (Processes > 1) text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"#   processes {Processes}, each with {Batch / Processes} images of a batch: time and memory are those of one with its "
                + $"part, without what they tell each other"));
        text.WriteLine($"#   memory   {Sizes.Text(MemoryBytes)}, as measured now");
        text.WriteLine(
            $"#   disk     {Sizes.Text(Disk.Bytes)} of {Sizes.Text(Disk.Free)} that are free{(!Disk.Fits ? ": NOT ENOUGH, lower checkpoint.keep or choose another --out" : "")}");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"#   later    'rpat eval --attacks aa' on {AutoAttack.Images:N0} images takes at most {Format.Duration(AutoAttack.Longest)}"));
        return text.ToString();
    }

    // The first step records and plans. Steps are of the last epoch, in which all parts of a method act. If there are several processes,
    // one computes its part here, without the others.
    private static double StepTime(Run run, int processes)
    {
        var watch = new Stopwatch();
        int steps = 0, least = processes > 1 ? SmallestBatch.Of(run.Net) : 1;
        var batches = run.Batches();
        foreach (ImageBatch batch in Enumerable.Range(1, MostSteps + 1).SelectMany(epoch => batches.Epoch(epoch)))
        {
            if (steps == 1) watch.Start();
            int part = Math.Min(batch.Count, Math.Max(least, batch.Count / processes));
            run.Step.Run(Views(run, batch, part), batch.Labels[..part], batch.Samples[..part], run.LastEpoch, rate: 0);
            if (++steps > MostSteps || watch.Elapsed.TotalSeconds >= MeasureSeconds) break;
        }

        return watch.Elapsed.TotalSeconds / (steps - 1);
    }

    private static ReadOnlySpan<float> Views(Run run, ImageBatch batch, int part)
    {
        int length = part * run.Net.InputShape.SampleCount;
        return run.Step.TwoViews ? (float[])[.. batch.Images[..length], .. batch.SecondView[..length]] : batch.Images[..length];
    }

    private static double EvaluationTime(Run run, double evaluation)
    {
        double final = run.Config.Eval.Attacks.Sum(Time) * run.TestImages.Count;
        if (run.ChoosingImages is not { } watched) return final;
        return (2 * final) + (Time(run.Config.Eval.Monitor) * watched.Count * run.LastEpoch / run.Config.Eval.Every);

        double Time(EvalAttack attack) => evaluation * Cost(attack.Suite(run.Config.Attack, run.Model.Classes), run.Model.Classes);
    }

    // Evaluations of the network for an image that withstands every attack.
    private static long Cost(AttackSuite? suite, int classes) =>
        suite?.Attacks.Sum(a => a.Cost(classes) * (a.Parts(classes)?.Count ?? 0)) ?? 1;

    private static (int Images, TimeSpan Longest) AutoAttackTime(Run run, double evaluation)
    {
        int classes = run.Model.Classes, images = Math.Min(AttackedImages, run.Data.Test.Count);
        long cost = Cost(AttackCatalog.Find("aa", run.Config.Attack.Norm, run.Config.Attack.Eps, classes), classes);
        return (images, TimeSpan.FromSeconds(cost * evaluation * images));
    }

    // Gradients dominate, and a step of PGD is one. An untrained network is wrong, and misclassified images are not attacked, so its
    // predictions count as right here.
    private static double SecondsPerEvaluation(Run run)
    {
        using var evaluator = new Evaluator(run.Reported, run.Config.Eval.Batch);
        var some = run.TestImages.Take(run.Config.Eval.Batch);
        int[] predicted = [.. evaluator.Logits(some).Chunk(run.Model.Classes).Select(row => Math.Max(0, Predictions.ArgMax(row)))];
        some = some.Labelled(predicted);
        var pgd = new EvalAttack("pgd5").Suite(run.Config.Attack, run.Model.Classes);
        evaluator.Run(some, pgd, run.Seed);
        long start = Stopwatch.GetTimestamp();
        evaluator.Run(some, pgd, run.Seed);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / some.Count / Cost(pgd, run.Model.Classes);
    }
}
