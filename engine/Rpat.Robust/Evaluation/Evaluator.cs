using Rpat.Engine;
using Rpat.Engine.Nn;
using Rpat.Engine.Random;

namespace Rpat.Robust;

/// <summary>How many of how many images were classified correctly.</summary>
/// <param name="Correct">Correct ones.</param>
/// <param name="Count">All.</param>
public readonly record struct Accuracy(int Correct, int Count)
{
    /// <summary>Share of correct ones, 0 to 1.</summary>
    public double Fraction => Count == 0 ? 0 : (double)Correct / Count;
}

/// <summary>
/// Accuracy of a network in eval mode, clean or under attack. Results do not depend on the batch size: random starts are keyed
/// by image and every kernel treats images one by one.
/// </summary>
/// <param name="net">The network.</param>
/// <param name="batch">Images at a time.</param>
public sealed class Evaluator(Classifier net, int batch = 128)
{
    private readonly Dictionary<int, Program> _programs = [];
    private readonly Dictionary<PgdOptions, Pgd> _attacks = [];

    /// <summary>Images at a time.</summary>
    public int BatchSize => batch;

    /// <summary>Counts correct predictions.</summary>
    /// <param name="images">Labelled images of the network's size.</param>
    /// <param name="attack">Attack on each image first, or null.</param>
    /// <param name="seed">Seed of the attack's random starts.</param>
    /// <param name="progress">Told the number of finished images after each batch; may cancel by throwing.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    public Accuracy Run(LabeledImages images, PgdOptions? attack = null, ulong seed = 0, Action<int>? progress = null)
    {
        int correct = 0;
        for (int first = 0; first < images.Count; first += batch)
        {
            int count = Math.Min(batch, images.Count - first);
            correct += Batch(images, first, count, attack, seed);
            progress?.Invoke(first + count);
        }
        return new Accuracy(correct, images.Count);
    }

    /// <summary>Counts correct predictions among a stretch of the images: as many as the whole set's count has there.</summary>
    /// <param name="images">Labelled images of the network's size.</param>
    /// <param name="first">The stretch's first image.</param>
    /// <param name="count">Its images, at most <see cref="BatchSize"/>.</param>
    /// <param name="attack">Attack on each image first, or null.</param>
    /// <param name="seed">Seed of the attack's random starts.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    public Accuracy Run(LabeledImages images, int first, int count, PgdOptions? attack, ulong seed) =>
        new(Batch(images, first, count, attack, seed), count);

    /// <summary>Logits of clean images, <c>[N, classes]</c>, row by row.</summary>
    /// <param name="images">Images of the network's size.</param>
    /// <param name="progress">Told the number of finished images after each batch; may cancel by throwing.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    public float[] Logits(LabeledImages images, Action<int>? progress = null)
    {
        var logits = new float[(long)images.Count * net.Classes];
        for (int first = 0; first < images.Count; first += batch)
        {
            int count = Math.Min(batch, images.Count - first);
            var program = For(count);
            images.CopyFloats([.. Enumerable.Range(first, count)], program.Images);
            program.X.Upload(program.Images);
            program.Tape.Forward();
            program.Logits.CopyTo(logits.AsSpan(first * net.Classes, count * net.Classes));
            progress?.Invoke(first + count);
        }
        return logits;
    }

    private int Batch(LabeledImages images, int first, int count, PgdOptions? attack, ulong seed)
    {
        var program = For(count);
        int[] indices = [.. Enumerable.Range(first, count)];
        images.CopyFloats(indices, program.Images);
        var labels = images.Labels.AsSpan(first, count);
        program.X.Upload(program.Images);
        if (attack is not null) Perturb(program, attack, labels, indices, seed);
        program.Tape.Forward();
        return Predictions.CountCorrect(program.Logits, labels);
    }

    private void Perturb(Program program, PgdOptions options, ReadOnlySpan<int> labels, int[] indices, ulong seed)
    {
        if (!_attacks.TryGetValue(options, out var pgd)) _attacks[options] = pgd = new Pgd(net, options);
        program.Labels.Upload(labels);
        var key = new RandomKey(seed, Purpose.AttackStart, 0, 0, 0, 0);
        var adversarial = pgd.Perturb(program.X, program.Labels, key, [.. indices.Select(i => (long)i)]);
        net.Device.Copy(adversarial.Data, program.X.Data);
    }

    private Program For(int count)
    {
        if (!_programs.TryGetValue(count, out var program)) _programs[count] = program = new Program(net, count);
        return program;
    }

    private sealed class Program
    {
        public Program(Classifier net, int count)
        {
            X = Tensor.Create(net.Device, net.InputShape.WithBatch(count), name: "x");
            Labels = new Labels(net.Device, count);
            Images = new float[X.Shape.Count];
            Tape = new Tape(net.Device);
            Logits = Tape.Keep(net.Forward(Tape, X, BnMode.Eval));
        }

        public Tape Tape { get; }
        public Tensor X { get; }
        public Labels Labels { get; }
        public Tensor Logits { get; }
        public float[] Images { get; }
    }
}
