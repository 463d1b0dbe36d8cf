namespace Rpat.Robust.Evaluation;

/// <summary>
/// Measures how logits and features of a network in eval mode change along perturbations (methods.md section 5): the quantities behind
/// the claim that adversarial training lets the perception of failures change less than that of successes.
/// </summary>
/// <param name="options">Perturbation and positions along it.</param>
public sealed class PerceptionMeter(FeatureClassifier net, PerceptionOptions options) : IDisposable
{
    private readonly Pgd _perturbation = new(net, Argument.Given(options).Perturbation);
    private readonly Dictionary<int, Program> _programs = [];
    private readonly OwnedTensors _owned = new(net.Device);

    /// <summary>Measures every image.</summary>
    /// <param name="images">Labelled images of the network's size.</param>
    /// <param name="progress">Receives the number of finished images after each batch; may cancel by throwing.</param>
    /// <exception cref="ShapeException">The images have another size than the network's.</exception>
    /// <exception cref="ArgumentException">A label is no class of the network.</exception>
    public PerceptionSamples Run(LabeledImages images, Action<int>? progress = null)
    {
        InputCheck.RequireSize(images, net);
        InputCheck.RequireClasses(images.Labels, net.Classes);
        var samples = new PerceptionSamples(options, images.Count);
        for (int first = 0; first < images.Count; first += options.Batch)
        {
            int count = Math.Min(options.Batch, images.Count - first);
            Batch(images, first, count, samples);
            progress?.Invoke(first + count);
        }
        return samples;
    }

    /// <summary>Frees the device memory of the recorded passes; a later call records them anew.</summary>
    public void Dispose()
    {
        _programs.Clear();
        _owned.Dispose();
        _perturbation.Dispose();
    }

    private void Batch(LabeledImages images, int first, int count, PerceptionSamples samples)
    {
        var program = For(count);
        int[] indices = [.. Enumerable.Range(first, count)];
        images.CopyFloats(indices, program.Clean);
        var labels = images.Labels.AsSpan(first, count);
        Perturb(program, labels, indices);
        double[] places = [0, 0.5, 1, .. options.Alphas];
        var seen = places.Select(program.See).ToArray();
        for (int i = 0; i < count; i++) Add(samples, first + i, labels[i], [.. seen.Select(s => s.Row(i))]);
    }

    private void Perturb(Program program, ReadOnlySpan<int> labels, int[] indices)
    {
        program.X.Upload(program.Clean);
        program.Labels.Upload(labels);
        var key = new RandomKey(options.Seed, Purpose.AttackStart, 0, 0, 0, 0);
        _perturbation.Perturb(program.X, program.Labels, key, [.. indices.Select(i => (long)i)]).CopyTo(program.Perturbed);
    }

    private void Add(PerceptionSamples samples, int image, int label, Seen[] seen)
    {
        samples.CleanRight[image] = seen[0].Predicts(label);
        samples.PerturbedRight[image] = seen[2].Predicts(label);
        Seen[] along = seen[3..];
        for (int k = 0; k < along.Length; k++) samples.Right[k][image] = along[k].Predicts(label);
        samples.Logits.Add(image, options.Alphas, [.. along.Select(s => s.Logits)], seen[0].Logits.Span, seen[1].Logits.Span,
            seen[2].Logits.Span);
        samples.Features.Add(image, options.Alphas, [.. along.Select(s => s.Features)], seen[0].Features.Span, seen[1].Features.Span,
            seen[2].Features.Span);
    }

    private Program For(int count)
    {
        if (!_programs.TryGetValue(count, out var program)) _programs[count] = program = new Program(net, count, _owned);
        return program;
    }

    /// <summary>Logits and features of one image, or of a batch row by row.</summary>
    private readonly record struct Seen(ReadOnlyMemory<float> Logits, ReadOnlyMemory<float> Features, int Count)
    {
        public Seen Row(int i) => new(Part(Logits, i), Part(Features, i), 1);

        public bool Predicts(int label) => Predictions.ArgMax(Logits.Span) == label;

        private ReadOnlyMemory<float> Part(ReadOnlyMemory<float> all, int i) => all.Slice(i * (all.Length / Count), all.Length / Count);
    }

    /// <summary>The recorded forward pass of one batch size.</summary>
    private sealed class Program
    {
        private readonly Tape _tape;
        private readonly Tensor _logits;
        private readonly Tensor _features;
        private readonly float[] _point;

        public Program(FeatureClassifier net, int count, OwnedTensors owned)
        {
            X = owned.Create(net.InputShape.WithBatch(count), name: "x");
            Labels = owned.Labels(count);
            (Clean, Perturbed, _point) = (new float[X.Shape.Count], new float[X.Shape.Count], new float[X.Shape.Count]);
            _tape = owned.Own(new Tape(net.Device));
            _features = _tape.Retain(net.Features(_tape, X, BnMode.Eval));
            _logits = _tape.Retain(net.Logits(_tape, _features));
        }

        public Tensor X { get; }
        public Labels Labels { get; }
        public float[] Clean { get; }
        public float[] Perturbed { get; }

        public Seen See(double alpha)
        {
            for (int i = 0; i < _point.Length; i++) _point[i] = (float)(Clean[i] + alpha * ((double)Perturbed[i] - Clean[i]));
            X.Upload(_point);
            _tape.Forward();
            return new Seen(_logits.ToArray(), _features.ToArray(), X.Shape.N);
        }
    }
}
