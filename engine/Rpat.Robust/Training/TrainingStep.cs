using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Engine.Nn;
using Rpat.Engine.Optim;
using Rpat.Engine.Random;

namespace Rpat.Robust;

/// <summary>
/// One training step of any method: attack → forward of each view → loss → backward → SGD. Recorded once a batch size and
/// replayed; a replay allocates nothing.
/// </summary>
public sealed class TrainingStep : ITrainingState
{
    private readonly Classifier _net;
    private readonly Objective _objective;
    private readonly Sgd _sgd;
    private readonly ulong _seed;
    private readonly Pgd? _attack;
    private readonly Dictionary<(int Batch, bool Base), Program> _programs = [];
    private Program? _last;

    /// <summary>Prepares training.</summary>
    /// <param name="net">The network.</param>
    /// <param name="objective">The method.</param>
    /// <param name="sgd">The optimizer of the network's parameters.</param>
    /// <param name="seed">Seed of the attack's random starts.</param>
    public TrainingStep(Classifier net, Objective objective, Sgd sgd, ulong seed)
    {
        (_net, _objective, _sgd, _seed) = (net, objective, sgd, seed);
        if (objective.Attack is { } attack) _attack = new Pgd(net, attack);
    }

    /// <summary>The loss of the last step.</summary>
    /// <exception cref="InvalidOperationException">No step has run.</exception>
    public Loss Loss => Last.Loss;

    /// <summary>Logits <c>[N, K]</c> that the last step trained on: of x′, or of x when the method does not attack.</summary>
    public Tensor Logits => Last.Logits;

    /// <summary>The tapes of the last step, for profiles: the attack's, if there is one, and the training pass.</summary>
    public IReadOnlyList<Tape> Tapes => _attack is null ? [Last.Tape] : [_attack.Tape(Last.X.Shape.N), Last.Tape];

    private Program Last => _last ?? throw new InvalidOperationException("No training step has run yet.");

    /// <summary>Trains on one batch.</summary>
    /// <param name="images">Images <c>[N, C, H, W]</c> in [0,1], N given by the labels.</param>
    /// <param name="labels">True classes.</param>
    /// <param name="samples">Index of each image in the training set: its random numbers depend on it.</param>
    /// <param name="epoch">Epoch, counted from 1.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="start">Injected start of the attack, or null.</param>
    public void Run(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, ReadOnlySpan<long> samples, int epoch, float rate, Tensor? start = null)
    {
        var program = _last = For(labels.Length, epoch);
        program.X.Upload(images);
        program.Labels.Upload(labels);
        if (_attack is not null)
        {
            var key = new RandomKey(_seed, Purpose.AttackStart, epoch, 0, 0, 0);
            var adversarial = _attack.Perturb(program.X, program.Labels, key, samples, start);
            _net.Device.Copy(adversarial.Data, program.Adversarial.Data);
        }
        program.Pass.Run();
        _sgd.Step(rate);
    }

    /// <inheritdoc/>
    public IEnumerable<NamedArray> State() => _sgd.State();

    /// <inheritdoc/>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state) => _sgd.LoadState(state);

    private Program For(int batch, int epoch)
    {
        var objective = _objective.InEpoch(epoch);
        var id = (batch, ReferenceEquals(objective, _objective));
        if (!_programs.TryGetValue(id, out var program)) _programs[id] = program = new Program(_net, objective, batch);
        return program;
    }

    /// <summary>The recorded step of one batch size.</summary>
    private sealed class Program
    {
        public Program(Classifier net, Objective objective, int batch)
        {
            X = Tensor.Create(net.Device, net.InputShape.WithBatch(batch), name: "x");
            Adversarial = Tensor.Create(net.Device, X.Shape, name: "adversarial");
            Labels = new Labels(net.Device, batch);
            Tape = new Tape(net.Device, Gradients.Parameters);
            var views = new Views(Tape, net, X, Adversarial, Labels);
            Loss = objective.Loss(views);
            Pass = new Routine(net.Device, Tape.Run);
            Logits = views.Shown;
        }

        public Tensor X { get; }
        public Tensor Adversarial { get; }
        public Labels Labels { get; }
        public Tape Tape { get; }
        public Routine Pass { get; }
        public Loss Loss { get; }
        public Tensor Logits { get; }
    }
}
