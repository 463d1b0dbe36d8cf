using System.Diagnostics;
using System.Globalization;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>What a run will need, from a few of its own steps.</summary>
/// <param name="Parameters">Trained values.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Batch">Images a step.</param>
/// <param name="StepSeconds">Time of a step.</param>
/// <param name="EvaluationSeconds">Time of all evaluations.</param>
/// <param name="MemoryBytes">Most memory that the process held.</param>
/// <param name="Disk">The run folder's size, and the room there is.</param>
internal sealed record Forecast(
    long Parameters, int Steps, int Batch, double StepSeconds, double EvaluationSeconds, long MemoryBytes, DiskNeed Disk)
{
    /// <summary>Processes that divide each batch.</summary>
    public int Processes { get; init; } = 1;

    private const int AttackedImages = 1000;

    private const double MeasureSeconds = 1;
    private const int MostSteps = 20;

    /// <summary>Number of images of <see cref="AutoAttack"/>, and its time where all of them withstand every attack: the longest that it can take.</summary>
    public (int Images, TimeSpan Longest) AutoAttack { get; init; }

    /// <summary>Time of the whole run.</summary>
    public TimeSpan Total => TimeSpan.FromSeconds(Steps * StepSeconds + EvaluationSeconds);

    /// <summary>Makes a forecast by training and evaluating for a moment; the network is of no further use then.</summary>
    public static Forecast Of(TrainerConfig config, TrainingSetup setup)
    {
        int processes = config.Run.Processes;
        double step = StepTime(setup, processes), evaluation = EvaluationTime(config, setup) / processes;
        using var process = Process.GetCurrentProcess();
        return new Forecast(
            setup.Net.Parameters.Count, setup.TotalSteps, setup.Batch, step, evaluation, process.PeakWorkingSet64, DiskNeed.Of(config, setup))
        {
            AutoAttack = AutoAttackTime(config, setup),
            Processes = processes,
        };
    }

    /// <summary>The forecast as comments that may stand in a configuration file.</summary>
    public string Comments()
    {
        var text = new StringWriter { NewLine = "\n" };
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"# forecast   {Parameters:N0} parameters; {Steps:N0} steps of {Batch} images"));
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"#   time     {Format.Duration(Total)}: {StepSeconds * 1000:F0} ms a step, {Format.Duration(TimeSpan.FromSeconds(EvaluationSeconds))} for evaluations, as measured now"));
        if (Processes > 1) text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"#   processes {Processes}, each with {Batch / Processes} images of a batch: time and memory are those of one with its part, without what they tell each other"));
        text.WriteLine($"#   memory   {Sizes.Text(MemoryBytes)}, as measured now");
        text.WriteLine($"#   disk     {Sizes.Text(Disk.Bytes)} of {Sizes.Text(Disk.Free)} that are free{(!Disk.Fits ? ": NOT ENOUGH, lower checkpoint.keep or choose another --out" : "")}");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"#   later    'rpat eval --attacks aa' on {AutoAttack.Images:N0} images takes at most {Format.Duration(AutoAttack.Longest)}"));
        return text.ToString();
    }

    // The first step records and plans.
    // Of several processes one does its part here, without the others.
    private static double StepTime(TrainingSetup setup, int processes)
    {
        var watch = new Stopwatch();
        int steps = 0, least = processes > 1 ? SmallestBatch.Of(setup.Net) : 1;
        foreach (ImageBatch batch in setup.Batches().Epoch(1))
        {
            if (steps == 1) watch.Start();
            int part = Math.Min(batch.Count, Math.Max(least, batch.Count / processes));
            setup.Step.Run(Views(setup, batch, part), batch.Labels[..part], batch.Samples[..part], epoch: 1, rate: 0);
            if (++steps > MostSteps || watch.Elapsed.TotalSeconds >= MeasureSeconds) break;
        }

        return steps < 2 ? 0 : watch.Elapsed.TotalSeconds / (steps - 1);
    }

    private static ReadOnlySpan<float> Views(TrainingSetup setup, ImageBatch batch, int part)
    {
        int length = part * setup.Net.InputShape.SampleCount;
        return setup.Step.TwoViews ? (float[])[.. batch.Images[..length], .. batch.SecondView[..length]] : batch.Images[..length];
    }

    private static double EvaluationTime(TrainerConfig config, TrainingSetup setup)
    {
        var evaluator = new Evaluator(setup.Reported, config.Eval.Batch);
        double final = config.Eval.Attacks.Sum(attack => Time(attack)) * setup.TestImages.Count;
        int epochs = (setup.TotalSteps + setup.StepsPerEpoch - 1) / setup.StepsPerEpoch;
        bool monitors = config.Eval.Select == SelectOn.Test || (config.Eval.Select == SelectOn.Validation && setup.Validation is not null);
        if (!monitors) return final;
        int watched = config.Eval.Select == SelectOn.Test ? setup.TestImages.Count : setup.Validation!.Count;
        return (2 * final) + (Time(config.Eval.Monitor) * watched * epochs / config.Eval.Every);

        double Time(EvalAttack attack)
        {
            var some = setup.TestImages.Take(config.Eval.Batch);
            PgdOptions? options = attack.Steps == 0 ? null : setup.Attack(Math.Min(attack.Steps, 5));
            evaluator.Run(some, options, setup.Seed);
            long start = Stopwatch.GetTimestamp();
            evaluator.Run(some, options, setup.Seed);
            return Stopwatch.GetElapsedTime(start).TotalSeconds / some.Count * (options is null ? 1 : attack.Steps / (double)options.Steps);
        }
    }

    // Gradients dominate, and a step of PGD is one: a gradient counts as three evaluations.
    private static (int Images, TimeSpan Longest) AutoAttackTime(TrainerConfig config, TrainingSetup setup)
    {
        const int Steps = 5;
        var evaluator = new Evaluator(setup.Reported, config.Eval.Batch);
        var some = setup.TestImages.Take(config.Eval.Batch);
        evaluator.Run(some, setup.Attack(Steps), setup.Seed);
        long start = Stopwatch.GetTimestamp();
        evaluator.Run(some, setup.Attack(Steps), setup.Seed);
        double evaluation = Stopwatch.GetElapsedTime(start).TotalSeconds / some.Count / (3 * Steps);
        int classes = setup.Model.Classes, images = Math.Min(AttackedImages, setup.Data.Test.Count);
        long cost = AttackCatalog.Find("aa", config.Attack.Norm, config.Attack.Eps, classes)!.Attacks.Sum(a => a.Cost(classes) * a.Parts(classes).Count);
        return (images, TimeSpan.FromSeconds(cost * evaluation * images));
    }
}
