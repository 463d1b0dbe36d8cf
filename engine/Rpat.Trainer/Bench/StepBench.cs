using Rpat.Engine.Kernels.Cpu;
using Rpat.Robust.Methods;

namespace Rpat.Trainer.Bench;

/// <summary>Times the parts of a configuration's training step on random images of its data set's size.</summary>
internal sealed class StepBench : IDisposable
{
    private const float Rate = 0.01f;

    private static readonly TimeSpan _round = TimeSpan.FromSeconds(0.5);

    private readonly Run _run;
    private readonly float[] _images, _views;
    private readonly int _epoch; // the last: all parts of a method act in it
    private readonly int[] _labels;
    private readonly long[] _samples;
    private readonly Tensor _x;
    private readonly Labels _y;
    private readonly Pgd _attack;
    private readonly TrainingStep _clean;
    private readonly Tape _eval;

    /// <summary>Builds the network and records nothing yet.</summary>
    public StepBench(TrainerConfig config)
    {
        _run = Training.Run.Synthetic(config);
        var images = _run.Data.Train;
        (_labels, _samples) = (images.Labels, [.. Enumerable.Range(0, images.Count).Select(i => (long)i)]);
        _images = [.. images.Pixels.Select(pixel => pixel / 255f)];
        _views = _run.Step.TwoViews ? [.. _images, .. _images] : _images;
        _epoch = config.Train.Epochs;
        _x = Tensor.From(_run.Device, _run.Net.InputShape.WithBatch(images.Count), _images);
        _y = Labels.From(_run.Device, _labels);
        _attack = new Pgd(_run.Net, _run.Attack(config.Attack.Steps));
        _clean = new TrainingStep(_run.Net, new Clean(), _run.Optimizer, _run.Seed);
        _eval = new Tape(_run.Device);
        _eval.Retain(_run.Net.Forward(_eval, _x, BnMode.Eval));
    }

    /// <summary>What can be timed: the whole step, its attack alone, a step on clean images, and a
    /// forward pass in evaluation mode.</summary>
    public static IReadOnlyList<string> Items { get; } = ["step", "attack", "clean-step", "eval-forward"];

    /// <summary>Images per batch.</summary>
    public int Batch => _run.Batch;

    /// <summary>What it runs on.</summary>
    public Device Device => _run.Device;

    /// <summary>What is timed and on what, in one line.</summary>
    public string Description =>
        $"{_run.Model.Name} width {_run.Model.Width}, {_run.Net.Parameters.Count:N0} parameters, "
            + $"{_run.Net.InputShape.WithBatch(Batch)}; {_run.Device.Description}";

    /// <summary>Times a batch in each round, after warming up; a round repeats short items for at least half a second.</summary>
    public BenchRow Time(string item, int rounds)
    {
        Warm(item);
        return new BenchRow(item, "step", [.. Enumerable.Range(0, rounds).Select(_ => Timing.Seconds(() => Run(item), _round)).Order()])
        { Images = Batch };
    }

    /// <summary>How the time of one batch is spent, and its total.</summary>
    public (TapeProfile Profile, double Seconds) Profile(string item, int repetitions)
    {
        Warm(item);
        using var profile = new TapeProfile(Tapes(item));
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < repetitions; i++) Run(item);
        return (profile, watch.Elapsed.TotalSeconds);
    }

    /// <summary>One batch on as many cores as the device has threads, by a model.</summary>
    public ThreadsModel OnPaper(string item, int repetitions)
    {
        Warm(item);
        return ThreadsModel.Of((CpuDevice)Device, Tapes(item), () => Run(item), repetitions);
    }

    /// <inheritdoc/>
    public void Dispose() => _run.Dispose();

    private void Warm(string item) => Timing.Warm(() => Run(item), _round);

    private void Run(string item)
    {
        switch (item)
        {
            case "step": _run.Step.Run(_views, _labels, _samples, _epoch, Rate); break;
            case "attack": _attack.Perturb(_x, _y, new RandomKey(_run.Seed, Purpose.AttackStart, 0, 0, 0, 0), _samples); break;
            case "clean-step": _clean.Run(_images, _labels, _samples, epoch: 1, Rate); break;
            default: _eval.Forward(); break;
        }
        Device.Synchronize(); // as the peers do
    }

    private IReadOnlyList<Tape> Tapes(string item) => item switch
    {
        "step" => _run.Step.Tapes,
        "attack" => [_attack.Tape(Batch)],
        "clean-step" => _clean.Tapes,
        _ => [_eval],
    };
}
