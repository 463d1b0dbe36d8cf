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
            for (int i = 0; i < Options.Steps; i++)
            {
                program.Tape.Run();
                Options.Norm.Step(x, program.Adversarial, Options.StepSize, Options.Eps);
            }
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
            _programs[shape.N] = program = new Program(_net, shape, Options.Bn);
        return program;
    }

    /// <summary>The recorded forward and backward pass of one batch size.</summary>
    private sealed class Program
    {
        private readonly LossTerm _loss;
        private float[] _bestLoss = [];

        public Program(Classifier net, Shape shape, BnMode bn)
        {
            Labels = new Labels(net.Device, shape.N);
            Adversarial = Tensor.Create(net.Device, shape, needsGrad: true, name: "adversarial");
            Best = Adversarial;
            Tape = new Tape(net.Device, Gradients.Inputs);
            _loss = Tape.CrossEntropy(net.Forward(Tape, Adversarial, bn), Labels, Reduction.Sum).Terms[0];
        }

        public Tape Tape { get; }
        public Labels Labels { get; }
        public Tensor Adversarial { get; }
        public Tensor Best { get; private set; }

        /// <summary>Scores the finished restart and keeps each image's worst case.</summary>
        public void KeepBest(bool first)
        {
            Tape.Forward();
            float[] losses = _loss.Values.ToArray();
            if (ReferenceEquals(Best, Adversarial)) Best = Tensor.Create(Adversarial.Device, Adversarial.Shape, name: "best");
            if (first) _bestLoss = new float[losses.Length];
            float[] best = Best.ToArray(), found = Adversarial.ToArray();
            int size = Adversarial.Shape.SampleCount;
            for (int i = 0; i < losses.Length; i++)
            {
                if (!first && !(losses[i] > _bestLoss[i])) continue;
                _bestLoss[i] = losses[i];
                found.AsSpan(i * size, size).CopyTo(best.AsSpan(i * size, size));
            }
            Best.Upload(best);
        }
    }
}
