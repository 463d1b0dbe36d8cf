namespace Rpat.Robust.Evaluation;

/// <summary>
/// Accuracy of a network in eval mode, clean or under attack, in memory: the counts of <see cref="RobustEvaluation"/>, whose attacks run
/// in batches here as there. An image counts under attack when it is correct without one and no attack finds a misclassified point in
/// ball and box. Results do not depend on the batch size.
/// </summary>
/// <param name="batch">Images at a time.</param>
/// <exception cref="ArgumentOutOfRangeException">The batch is below 1.</exception>
public sealed class Evaluator(Classifier net, int batch = 128) : IDisposable
{
    private readonly Dictionary<int, Program> _programs = [];
    private readonly OwnedTensors _owned = new(Argument.Given(net).Device);
    private AttackRunner? _runner;

    /// <summary>Images at a time.</summary>
    public int BatchSize { get; } = batch >= 1 ? batch
        : throw new ArgumentOutOfRangeException(nameof(batch), batch, "A batch has at least 1 image.");

    /// <summary>Counts correct predictions.</summary>
    /// <param name="images">Labelled images of the network's size.</param>
    /// <param name="attacks">Attacks of <see cref="AttackCatalog"/> or your own, on each image; null for none.</param>
    /// <param name="seed">Seed of the attacks' random numbers.</param>
    /// <param name="progress">Receives the number of finished images after each batch; may cancel by throwing.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    /// <exception cref="ArgumentException">A label is no class of the network, or a radius or step is not in pixel units.</exception>
    /// <exception cref="NotFiniteException">The network returned NaN or infinity under attack.</exception>
    public Accuracy Run(LabeledImages images, AttackSuite? attacks = null, ulong seed = 0, Action<int>? progress = null) =>
        Run(Argument.Given(images), 0, images.Count, attacks, seed, progress);

    /// <summary>Counts correct predictions in a range of the images; the counts of all ranges add up to that of the whole set.</summary>
    /// <param name="images">Labelled images of the network's size.</param>
    /// <param name="attacks">Attacks on each image; null for none.</param>
    /// <param name="seed">Seed of the attacks' random numbers.</param>
    /// <param name="progress">Receives the number of finished images after each batch; may cancel by throwing.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    /// <exception cref="ArgumentException">A label is no class of the network, or a radius or step is not in pixel units.</exception>
    /// <exception cref="NotFiniteException">The network returned NaN or infinity under attack.</exception>
    public Accuracy Run(LabeledImages images, int first, int count, AttackSuite? attacks, ulong seed, Action<int>? progress = null)
    {
        Shape image = InputCheck.RequireSize(images, net);
        InputCheck.RequireClasses(images.Labels, net.Classes);
        if (attacks is not null) AttackSuite.Checked(attacks, image, net.Classes);
        float[] logits = Logits(images, first, count, attacks is null ? progress : null);
        int[] right = [.. Enumerable.Range(0, count).Where(i => Predictions.ArgMax(Row(logits, i)) == images.Labels[first + i])];
        if (attacks is null) return new Accuracy(right.Length, count);
        int robust = right.Length, done = count - right.Length;
        var runner = Runner(seed, image);
        runner.Tick = () => progress?.Invoke(done);
        runner.Run(right.Select(i => Attacked(runner, images, first + i, Row(logits, i))), async subject =>
        {
            if (await IsFooled(subject, attacks)) robust--;
        }, _ => done++);
        progress?.Invoke(done);
        return new Accuracy(robust, count);
    }

    /// <summary>Logits of clean images, <c>[N, classes]</c>, row by row.</summary>
    /// <param name="images">Images of the network's size.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    public float[] Logits(LabeledImages images)
    {
        InputCheck.RequireSize(images, net);
        return Logits(images, 0, images.Count, null);
    }

    /// <summary>Frees the device memory of the recorded passes; a later call records them anew.</summary>
    public void Dispose()
    {
        _programs.Clear();
        _owned.Dispose();
        _runner?.Dispose();
    }

    private float[] Logits(LabeledImages images, int first, int count, Action<int>? progress)
    {
        var logits = new float[(long)count * net.Classes];
        for (int from = 0; from < count; from += BatchSize)
        {
            int some = Math.Min(BatchSize, count - from);
            var program = For(some);
            images.CopyFloats([.. Enumerable.Range(first + from, some)], program.Images);
            program.X.Upload(program.Images);
            program.Tape.Forward();
            program.Logits.CopyTo(logits.AsSpan(from * net.Classes, some * net.Classes));
            progress?.Invoke(from + some);
        }
        return logits;
    }

    private ReadOnlySpan<float> Row(float[] logits, int i) => logits.AsSpan(i * net.Classes, net.Classes);

    private static Subject Attacked(AttackRunner runner, LabeledImages images, int index, ReadOnlySpan<float> logits)
    {
        var image = new float[images.ImageSize];
        images.CopyFloats([index], image);
        return new Subject(runner, index, image, images.Labels[index]) { Clean = logits.ToArray() };
    }

    private static async Task<bool> IsFooled(Subject subject, AttackSuite suite)
    {
        foreach (var attack in suite.Attacks)
            foreach (var part in attack.PartsTried(subject.Classes))
            {
                subject.Enter(attack, part);
                var result = await AttackRunner.Attempt(attack, subject, part);
                if (result.Fooled && attack.Norm.Holds(subject.Image, result.Point, attack.Eps)) return true;
            }
        return false;
    }

    // The runner is kept, since it holds the recorded tapes.
    private AttackRunner Runner(ulong seed, Shape image)
    {
        if (_runner?.Options.Seed == seed && _runner.ImageShape == image) return _runner;
        _runner?.Dispose();
        return _runner = new AttackRunner(net, new() { Batch = BatchSize, Seed = seed }, image);
    }

    private Program For(int count)
    {
        if (!_programs.TryGetValue(count, out var program)) _programs[count] = program = new Program(net, count, _owned);
        return program;
    }

    private sealed class Program
    {
        public Program(Classifier net, int count, OwnedTensors owned)
        {
            X = owned.Create(net.InputShape.WithBatch(count), name: "x");
            Images = new float[X.Shape.Count];
            Tape = owned.Own(new Tape(net.Device));
            Logits = Tape.Retain(net.Forward(Tape, X, BnMode.Eval));
        }

        public Tape Tape { get; }
        public Tensor X { get; }
        public Tensor Logits { get; }
        public float[] Images { get; }
    }
}
