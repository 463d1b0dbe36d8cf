using Rpat.Robust.Losses;

namespace Rpat.Robust.Objectives;

/// <summary>
/// MMA's search (ICLR'20; methods.md 4.2): for each image that is classified correctly, an attack at the image's own last radius gives a
/// direction, and a bisection along it the distance to the decision boundary. A training-mode forward on x determines which images are
/// correct; it updates the running statistics, which attack and bisection use without updating them.
/// </summary>
/// <param name="Threshold">d_max: images with larger margins are left out of the loss; the search ends at 1.05 times it.</param>
/// <param name="Least">ε_min: smallest radius that is attacked.</param>
/// <param name="Steps">Steps of the attack, each 2.5·ε/steps long.</param>
public sealed record MarginSearch(Norm Norm, float Threshold, float Least, int Steps = 10, int Rounds = 10)
{
    /// <summary>End of the bisection's range.</summary>
    public float Ceiling => 1.05f * Threshold;
}

/// <summary>The results of the search for a batch.</summary>
/// <param name="Right">Whether an image was classified correctly.</param>
/// <param name="Radius">Its margin; 0 if it was not.</param>
public sealed record Margins(bool[] Right, float[] Radius);

/// <summary>
/// The search on one batch size, which begins with the step's clean forward. Each image has its own radius, so points are moved on the
/// host; the network runs as usual.
/// </summary>
internal sealed class MarginFinder
{
    private readonly MarginSearch _rule;
    private readonly Classifier _net;
    private readonly Tensor _point;
    private readonly Tape _attack;
    private readonly LossTerm _margin;
    private readonly Tape _clean;
    private readonly LossTerm _cleanMargin;
    private readonly Labels _labels;
    private readonly float[] _values;
    private readonly BatchShard? _share;
    private readonly long[] _samples = [];

    public MarginFinder(Classifier net, MarginSearch rule, int n, BatchShard? share)
    {
        (_net, _rule, _labels, _values, _share) = (net, rule, new Labels(net.Device, n), new float[n], share);
        _point = Tensor.Create(net.Device, net.InputShape.WithBatch(n), needsGrad: true, name: "point");
        (_attack, _clean) = (new Tape(net.Device, Gradients.Inputs), new Tape(net.Device) { Shard = share });
        _margin = Record(_attack, BnMode.Eval);
        _cleanMargin = Record(_clean, BnMode.Train);
        WholeBatch = Found = new Margins(new bool[n], new float[n]);
        if (share is null) return;
        int all = share.GlobalRows(n);
        (WholeBatch, _samples) = (new Margins(new bool[all], new float[all]), new long[all]);
    }

    /// <summary>The results for these images.</summary>
    public Margins Found { get; }

    /// <summary>The results for all images of the batch if processes share it.</summary>
    public Margins WholeBatch { get; }

    /// <summary>Finds the margins of a batch and writes the points at these distances, unclipped, to <paramref name="mixed"/>.</summary>
    /// <param name="start">Starting point of the attack instead of a random one, or null.</param>
    public void Run(in PgdSubject subject, in RandomKey key, ReadOnlySpan<long> samples, MarginTable table, Tensor mixed, Tensor? start)
    {
        if (start is not null && start.Shape != subject.X.Shape)
            throw new ShapeException("MarginSearch", $"{start} cannot start an attack on {subject.X}");
        float[] images = subject.X.ToArray();
        _labels.CopyFrom(subject.Labels);
        Classify(images);
        float[] radii = new float[samples.Length];
        for (int i = 0; i < radii.Length; i++) radii[i] = Math.Max(_rule.Least, table[samples[i]]);
        float[][] begin = start is null ? Begin(images, radii, key, samples) : Parts(start.ToArray());
        float[] directions = Directions(images, Attack(images, begin, radii), radii);
        Bisect(images, directions, radii);
        for (int i = 0; i < radii.Length; i++) Found.Radius[i] = Found.Right[i] ? radii[i] : 0;
        Remember(samples, table);
        mixed.Upload(Along(images, directions, Found.Radius, clip: false));
    }

    // In another epoch another process may have these images.
    private void Remember(ReadOnlySpan<long> samples, MarginTable table)
    {
        if (_share is not null)
        {
            _share.Gather<bool>(Found.Right, 1, WholeBatch.Right);
            _share.Gather<float>(Found.Radius, 1, WholeBatch.Radius);
            _share.Gather(samples, 1, _samples);
            samples = _samples;
        }
        for (int i = 0; i < samples.Length; i++) table[samples[i]] = WholeBatch.Radius[i];
    }

    private void Classify(float[] images)
    {
        _point.Upload(images);
        _clean.Forward();
        _cleanMargin.Values.CopyTo(_values);
        for (int i = 0; i < _values.Length; i++) Found.Right[i] = _values[i] < 0;
    }

    private float[][] Begin(float[] images, float[] radii, RandomKey key, ReadOnlySpan<long> samples)
    {
        var u = new float[radii.Length][];
        for (int i = 0; i < u.Length; i++) u[i] = Begin(Part(images, i), radii[i], (key with { Sample = samples[i] }).Stream());
        return u;
    }

    // Attack A's start (methods.md 2.1): uniform in the cube, or for L2 a point of the box scaled into the ball.
    private float[] Begin(float[] x, float radius, in PhiloxStream random)
    {
        if (_rule.Norm == Norm.Linf) return _rule.Norm.Geometry.InBall(x, radius, random);
        var u = new float[x.Length];
        random.FillUniform(u);
        _rule.Norm.Geometry.Project(x, u, radius);
        return u;
    }

    private float[][] Attack(float[] images, float[][] u, float[] radii)
    {
        var geometry = _rule.Norm.Geometry;
        float[][] x = Parts(images);
        for (int step = 0; step < _rule.Steps; step++)
        {
            float[] slope = InputGradient(u);
            for (int i = 0; i < u.Length; i++)
            {
                u[i] = geometry.Ascend(u[i], Part(slope, i), 2.5 * radii[i] / _rule.Steps);
                NormGeometry.Box(u[i]); // attack A projects to the box first, and scaling towards x stays in it
                geometry.Project(x[i], u[i], radii[i]);
            }
        }
        return u;
    }

    private float[] InputGradient(float[][] u)
    {
        _point.Upload(u.SelectMany(part => part).ToArray());
        _attack.Run();
        return _point.GradToArray();
    }

    private float[] Directions(float[] images, float[][] u, float[] radii)
    {
        var v = new float[images.Length];
        int size = _net.InputShape.SampleCount;
        for (int i = 0; i < v.Length; i++) v[i] = (float)((u[i / size][i % size] - (double)images[i]) / (radii[i / size] + 1e-12));
        return v;
    }

    private void Bisect(float[] images, float[] directions, float[] radii)
    {
        var (low, high) = (new float[radii.Length], new float[radii.Length]);
        Array.Fill(high, _rule.Ceiling);
        for (int round = 0; round < _rule.Rounds; round++)
        {
            _point.Upload(Along(images, directions, radii, clip: true));
            _attack.Forward();
            _margin.Values.CopyTo(_values);
            for (int i = 0; i < radii.Length; i++)
            {
                if (_values[i] < 0) low[i] = Math.Max(low[i], radii[i]);
                else high[i] = Math.Min(high[i], radii[i]);
                radii[i] = (low[i] + high[i]) / 2;
            }
        }
    }

    private float[] Along(float[] images, float[] directions, float[] radii, bool clip)
    {
        var points = new float[images.Length];
        int size = _net.InputShape.SampleCount;
        for (int i = 0; i < points.Length; i++)
        {
            float moved = images[i] + radii[i / size] * directions[i];
            points[i] = clip ? Math.Clamp(moved, 0, 1) : moved;
        }
        return points;
    }

    private float[][] Parts(float[] all) => [.. Enumerable.Range(0, _values.Length).Select(i => Part(all, i))];

    private float[] Part(float[] all, int i) => all[(i * _net.InputShape.SampleCount)..((i + 1) * _net.InputShape.SampleCount)];

    private LossTerm Record(Tape tape, BnMode bn) => tape.RowLoss(
        "margin", new SoftMargin(), _net.Forward(tape, _point, bn), new() { Labels = _labels, Reduction = Reduction.Sum }).Terms[0];
}

/// <summary>The last margin of each image; grows to the largest index that it receives.</summary>
internal sealed class MarginTable : ITrainingState
{
    private const string Name = "table.margins";
    private float[] _radii = [];

    public float this[long sample]
    {
        get => sample < _radii.Length ? _radii[sample] : 0;
        set
        {
            if (sample >= _radii.Length) Array.Resize(ref _radii, checked((int)Math.Max(sample + 1, 2L * _radii.Length)));
            _radii[sample] = value;
        }
    }

    public IEnumerable<NamedArray> State() => [NamedArray.FromFloats(Name, _radii, _radii.Length)];

    public void LoadState(IReadOnlyDictionary<string, NamedArray> state) => _radii = state.TryGetValue(Name, out var radii)
        ? radii.ToFloats()
        : throw new CheckpointException($"The training state has no '{Name}': it belongs to another run.");
}
