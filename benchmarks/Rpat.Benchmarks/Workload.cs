using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Benchmarks;

/// <summary>The four things that are compared with PyTorch, on one model and random images.</summary>
internal sealed class Workload : IPeer, IDisposable
{
    private const ulong Seed = 1;

    private readonly Device _device;
    private readonly Classifier _net;
    private readonly float[] _images;
    private readonly int[] _labels;
    private readonly long[] _samples;
    private readonly Tensor _x;
    private readonly Labels _deviceLabels;
    private readonly Pgd _attack;
    private readonly TrainingStep _rpat;
    private readonly TrainingStep _clean;
    private readonly Tape _eval;

    public Workload(PeerOptions options)
    {
        _device = Device.Cpu(options.Threads, options.Conv);
        _net = Build(options.Model, _device);
        var shape = _net.InputShape.WithBatch(options.Batch);
        _images = Images(shape);
        _labels = [.. Enumerable.Range(0, options.Batch).Select(i => i % _net.Classes)];
        _samples = [.. Enumerable.Range(0, options.Batch).Select(i => (long)i)];
        (_x, _deviceLabels) = (Tensor.From(_device, shape, _images), Labels.From(_device, _labels));
        _attack = new Pgd(_net, PgdOptions.Linf);
        var sgd = new Sgd(_net.Parameters, momentum: 0.9f, weightDecay: 5e-4f);
        _rpat = new TrainingStep(_net, new PgdAt(PgdOptions.Linf).With(new RobustPerception()), sgd, Seed);
        _clean = new TrainingStep(_net, new Clean(), sgd, Seed);
        _eval = new Tape(_device);
        _eval.Retain(_net.Forward(_eval, _x, BnMode.Eval));
    }

    /// <summary>Instruction set, threads and algorithms in use.</summary>
    public string About => _device.Description;

    public IReadOnlyDictionary<string, Action> Items => new Dictionary<string, Action>
    {
        ["rpat-step"] = () => _rpat.Run(_images, _labels, _samples, epoch: 1, rate: 0.01f),
        ["pgd-attack"] = () => _attack.Perturb(_x, _deviceLabels, new RandomKey(Seed, Purpose.AttackStart, 0, 0, 0, 0), _samples),
        ["clean-step"] = () => _clean.Run(_images, _labels, _samples, epoch: 1, rate: 0.01f),
        ["eval-forward"] = _eval.Forward,
    };

    /// <summary>The tapes whose nodes a profile of an item shows.</summary>
    public IReadOnlyList<Tape> Tapes(string item) => item switch
    {
        "rpat-step" => _rpat.Tapes,
        "clean-step" => _clean.Tapes,
        "pgd-attack" => [_attack.Tape(_x.Shape.N)],
        _ => [_eval],
    };

    public void Dispose() => _device.Dispose();

    /// <summary>Random images.</summary>
    public static float[] Images(Shape shape)
    {
        var images = new float[shape.Count];
        new RandomKey(Seed, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(images);
        return images;
    }

    /// <summary>The network of that name, as PyTorch's peer builds it.</summary>
    public static Classifier Build(string model, Device device) => model switch
    {
        "preactresnet18" => new PreActResNet(device, new PreActResNetOptions(), Seed),
        "wrn-34-10" => new WideResNet(device, new WideResNetOptions(), Seed),
        "quick" => new PreActResNet(device, new PreActResNetOptions
        { Input = new Shape(1, 1, 28, 28), Width = 16, BlocksPerStage = 1 }, Seed),
        _ => throw new ArgumentException($"Model '{model}' is not compared: use preactresnet18, wrn-34-10 or quick."),
    };
}
