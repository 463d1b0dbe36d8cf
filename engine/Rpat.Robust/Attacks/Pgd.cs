namespace Rpat.Robust.Attacks;

/// <summary>
/// Projected gradient descent for training: start, then gradient, step, project. Only input gradients are computed. The loss is summed
/// over the batch and random numbers are keyed by image, so that neither depends on the batch.
/// </summary>
public sealed class Pgd : IDisposable
{
    private const float GaussianDeviation = 0.001f;

    private readonly Classifier _net;
    private readonly Func<string, Classifier> _teachers;
    private readonly Dictionary<(int N, bool Soft, int Total), PgdProgram> _programs = [];
    private readonly OwnedTensors _owned;
    private float[] _pixels = [];

    /// <summary>Prepares the attack on a network.</summary>
    /// <exception cref="ArgumentException">The options are not a valid attack.</exception>
    public Pgd(Classifier net, PgdOptions options)
        : this(net, options, name => throw new ArgumentException($"This attack has no teacher '{name}'."))
    {
    }

    internal Pgd(Classifier net, PgdOptions options, Func<string, Classifier> teachers)
    {
        ArgumentNullException.ThrowIfNull(net);
        ArgumentNullException.ThrowIfNull(options);
        options.Check(net.InputShape);
        (_net, Options, _teachers, _owned) = (net, options, teachers, new OwnedTensors(net.Device));
    }

    /// <summary>Settings.</summary>
    public PgdOptions Options { get; }

    /// <summary>Attacks a batch and returns x′ <c>[N, C, H, W]</c>, valid until the next attack on a batch of that size.</summary>
    /// <param name="x">Images in [0,1], on the network's device.</param>
    /// <param name="key">Random key of the batch; its sample is replaced by each image's own.</param>
    /// <param name="samples">Global index of each image.</param>
    /// <param name="start">Starting point instead of a random one, or null.</param>
    /// <exception cref="ShapeException">Images, labels, indices or start differ in size or device, or the network takes other
    /// images.</exception>
    /// <exception cref="ArgumentException">An image is not in [0,1].</exception>
    public Tensor Perturb(Tensor x, Labels labels, in RandomKey key, ReadOnlySpan<long> samples, Tensor? start = null)
    {
        Check(new PgdSubject(x, labels), samples.Length, start);
        if (_pixels.Length != x.Shape.Count) _pixels = new float[x.Shape.Count];
        x.CopyTo(_pixels);
        PixelRange.Require(_pixels, x.Shape);
        return Perturb(new PgdSubject(x, labels), key, samples, start, default);
    }

    internal Tensor Perturb(in PgdSubject subject, in RandomKey key, ReadOnlySpan<long> samples, Tensor? start, in StepContext moment)
    {
        Check(subject, samples.Length, start);
        var program = For(subject);
        program.Load(subject, moment);
        for (int restart = 0; restart < Options.Restarts; restart++)
        {
            Start(program, subject.X, key with { Restart = key.Restart + restart }, samples, start);
            program.RunIterations(subject.X);
            if (Options.Restarts > 1) program.KeepBest(restart == 0);
            else if (Options.Has(ReferenceQuirks.ScoredEnd)) program.Tape.Forward();
        }
        return Options.Restarts > 1 ? program.Best : program.Adversarial;
    }

    /// <summary>Frees the device memory of the recorded attacks, and what they returned; a later attack records its own.</summary>
    public void Dispose()
    {
        foreach (var program in _programs.Values) program.Forget();
        _programs.Clear();
        _owned.Dispose();
    }

    /// <summary>The tape of a batch size that was attacked before, for profiles.</summary>
    public Tape Tape(int batch) => _programs.First(pair => pair.Key.N == batch).Value.Tape;

    /// <summary>
    /// For each image of the last batch like this one, how many iterates were classified correctly
    /// (<see cref="PgdOptions.CountsCorrect"/>).
    /// </summary>
    internal ReadOnlySpan<int> Hits(in PgdSubject subject) => For(subject).Hits;

    private void Check(in PgdSubject subject, int samples, Tensor? start)
    {
        Tensor x = subject.X;
        if (x.Shape.WithBatch(1) != _net.InputShape) throw new ShapeException("Pgd", $"{x} is not a batch of {_net.InputShape}");
        if (x.Device != _net.Device || subject.Labels.Device != _net.Device || (start ?? x).Device != _net.Device)
            throw new ShapeException("Pgd", $"{x}, its labels or its start are on another device than the network");
        if (subject.Labels.Count != x.Shape.N) throw new ShapeException("Pgd", $"{x} needs {x.Shape.N} labels, got {subject.Labels.Count}");
        if (samples != x.Shape.N) throw new ShapeException("Pgd", $"{x} needs {x.Shape.N} sample indices, got {samples}");
        if (start is not null && start.Shape != x.Shape) throw new ShapeException("Pgd", $"{start} cannot start an attack on {x}");
    }

    private void Start(PgdProgram program, Tensor x, in RandomKey key, ReadOnlySpan<long> samples, Tensor? start)
    {
        var to = program.Adversarial;
        if (start is not null || Options.Start == PgdStart.Image) _net.Device.Copy((start ?? x).Data, to.Data);
        else if (Options.Start == PgdStart.Cube && Options.Norm == Norm.Linf) StartInCube(program, x, key, samples);
        else if (Options.Start is PgdStart.Gaussian or PgdStart.Cube)
            _net.Device.Kernels.GaussianStart(x.Shape.N, x.Shape.SampleCount, x.Data, GaussianDeviation, key, samples, to.Data);
        else if (Options.Start == PgdStart.Direction && Options.Norm == Norm.L2) StartInDirection(program, x, key, samples);
        else Options.Norm.Start(x, program.Eps, key, samples, to);
    }

    private void StartInDirection(PgdProgram program, Tensor x, RandomKey key, ReadOnlySpan<long> samples)
    {
        float[] from = x.ToArray();
        int size = x.Shape.SampleCount;
        for (int i = 0; i < samples.Length; i++)
        {
            var stream = (key with { Sample = samples[i] }).Stream();
            Options.Norm.Geometry.InBall(from[(i * size)..((i + 1) * size)], program.Eps, stream).CopyTo(from, i * size);
        }
        program.Adversarial.Upload(from);
    }

    private void StartInCube(PgdProgram program, Tensor x, RandomKey key, ReadOnlySpan<long> samples)
    {
        float[] from = x.ToArray(), u = new float[x.Shape.SampleCount];
        for (int i = 0; i < samples.Length; i++)
        {
            (key with { Sample = samples[i] }).Stream().FillSymmetric(u);
            for (int j = 0; j < u.Length; j++) from[i * u.Length + j] += program.Eps * u[j];
        }
        program.Adversarial.Upload(from);
    }

    // With running statistics images do not affect each other, so a part can be attacked as a separate batch.
    private PgdProgram For(in PgdSubject subject)
    {
        var (shape, soft, share) = (subject.X.Shape, subject.Targets is not null, Options.Bn == BnMode.Eval ? null : subject.Share);
        var key = (shape.N, soft, share?.Total ?? 0);
        if (!_programs.TryGetValue(key, out var program))
            _programs[key] = program = new PgdProgram(_net, shape, Options, _teachers, soft, share, _owned);
        return program;
    }
}

/// <summary>What is attacked.</summary>
/// <param name="Targets">Target probabilities instead of classes, or null.</param>
/// <param name="History">Stored probabilities, or null.</param>
/// <param name="Share">Which part of a batch this is when processes share it; otherwise null.</param>
internal readonly record struct PgdSubject(Tensor X, Labels Labels, Tensor? Targets = null, Tensor? History = null,
    BatchShard? Share = null);
