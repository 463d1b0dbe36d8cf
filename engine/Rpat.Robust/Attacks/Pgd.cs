using Rpat.Engine;
using Rpat.Engine.Nn;
using Rpat.Engine.Random;

namespace Rpat.Robust;

/// <summary>
/// Projected gradient descent on the cross-entropy: start, then gradient, step, project. Only input gradients are computed.
/// The loss is summed over the batch and random numbers are keyed by image, so that neither depends on the batch.
/// </summary>
public sealed class Pgd
{
    private readonly Classifier _net;
    private readonly Dictionary<int, Program> _programs = [];

    /// <summary>Prepares the attack on a network.</summary>
    /// <exception cref="ArgumentException">The options make no attack.</exception>
    public Pgd(Classifier net, PgdOptions options)
    {
        options.Check();
        (_net, Options) = (net, options);
    }

    /// <summary>Settings.</summary>
    public PgdOptions Options { get; }

    /// <summary>Attacks a batch and returns x′ <c>[N, C, H, W]</c>, valid until the next attack on a batch of that size.</summary>
    /// <param name="x">Images in [0,1].</param>
    /// <param name="labels">True classes.</param>
    /// <param name="key">Random key of the batch; its sample is replaced by each image's own.</param>
    /// <param name="samples">Global index of each image.</param>
    /// <param name="start">Injected start instead of a random one, or null.</param>
    /// <exception cref="ShapeException">Images, labels, indices or start differ in size, or the network takes other images.</exception>
    public Tensor Perturb(Tensor x, Labels labels, in RandomKey key, ReadOnlySpan<long> samples, Tensor? start = null)
    {
        var program = For(x.Shape);
        Check(program, x, samples.Length, start);
        program.Labels.CopyFrom(labels);
        for (int restart = 0; restart < Options.Restarts; restart++)
        {
            Start(program, x, key with { Restart = restart }, samples, start);
            program.Climb(x);
            if (Options.Restarts > 1) program.KeepBest(restart == 0);
        }
        return Options.Restarts > 1 ? program.Best : program.Adversarial;
    }

    /// <summary>The tape of a batch size that was attacked before, for profiles.</summary>
    public Tape Tape(int batch) => _programs[batch].Tape;

    private static void Check(Program program, Tensor x, int samples, Tensor? start)
    {
        if (x.Shape != program.Adversarial.Shape) throw new ShapeException("Pgd", $"{x} is not a batch of {program.Adversarial.Shape}");
        if (samples != x.Shape.N) throw new ShapeException("Pgd", $"{x} needs {x.Shape.N} sample indices, got {samples}");
        if (start is not null && start.Shape != x.Shape) throw new ShapeException("Pgd", $"{start} cannot start an attack on {x}");
    }

    private void Start(Program program, Tensor x, in RandomKey key, ReadOnlySpan<long> samples, Tensor? start)
    {
        if (start is not null || !Options.RandomStart)
            _net.Device.Copy((start ?? x).Data, program.Adversarial.Data);
        else Options.Norm.Start(x, Options.Eps, key, samples, program.Adversarial);
    }

    private Program For(Shape shape)
    {
        if (!_programs.TryGetValue(shape.N, out var program))
            _programs[shape.N] = program = new Program(_net, shape, Options);
        return program;
    }

    /// <summary>The recorded forward and backward pass of one batch size, and the routine of all iterations.</summary>
    private sealed class Program
    {
        private readonly PgdOptions _options;
        private readonly Routine _climb;
        private readonly LossTerm _loss;
        private readonly float[] _losses;
        private readonly float[] _bestLosses;
        private float[] _best = []; // as long as the images once there is a second restart
        private float[] _found = [];

        private Tensor _from;

        public Program(Classifier net, Shape shape, PgdOptions options)
        {
            _options = options;
            Labels = new Labels(net.Device, shape.N);
            Adversarial = Tensor.Create(net.Device, shape, needsGrad: true, name: "adversarial");
            Best = _from = Adversarial;
            Tape = new Tape(net.Device, Gradients.Inputs);
            _loss = Tape.CrossEntropy(net.Forward(Tape, Adversarial, options.Bn), Labels, Reduction.Sum).Terms[0];
            (_losses, _bestLosses) = (new float[shape.N], new float[shape.N]);
            _climb = new Routine(net.Device, Iterations);
        }

        public Tape Tape { get; }
        public Labels Labels { get; }
        public Tensor Adversarial { get; }
        public Tensor Best { get; private set; }

        /// <summary>Moves the start to the end of the attack on <paramref name="x"/>.</summary>
        public void Climb(Tensor x)
        {
            _from = x;
            _climb.Run(x);
        }

        /// <summary>Scores the finished restart and keeps each image's worst case.</summary>
        public void KeepBest(bool first)
        {
            if (_best.Length == 0) MakeRoomForBest();
            Tape.Forward();
            _loss.Values.CopyTo(_losses);
            Adversarial.CopyTo(_found);
            int size = Adversarial.Shape.SampleCount;
            for (int i = 0; i < _losses.Length; i++)
            {
                if (!first && !(_losses[i] > _bestLosses[i])) continue;
                _bestLosses[i] = _losses[i];
                _found.AsSpan(i * size, size).CopyTo(_best.AsSpan(i * size, size));
            }
            Best.Upload(_best);
        }

        private void Iterations()
        {
            for (int i = 0; i < _options.Steps; i++)
            {
                Tape.Run();
                _options.Norm.Step(_from, Adversarial, _options.StepSize, _options.Eps);
            }
        }

        private void MakeRoomForBest()
        {
            Best = Tensor.Create(Adversarial.Device, Adversarial.Shape, name: "best");
            (_best, _found) = (new float[Best.Shape.Count], new float[Best.Shape.Count]);
        }
    }
}
