namespace Rpat.Robust.Attacks;

/// <summary>
/// Answers queries in batches. A batch is padded to one of a few sizes, at most a quarter larger, so that few tapes are recorded;
/// rows do not affect each other, so the padding changes nothing but, on a GPU, the last bits. Logits alone come from the same tape as
/// gradients: changing tapes would pack all weights again.
/// </summary>
internal sealed class NetBatches(Classifier net, AttackRunnerOptions options, Shape imageShape) : IDisposable
{
    private readonly Dictionary<int, Program> _programs = [];
    private readonly OwnedTensors _owned = new(net.Device);
    private readonly int _size = imageShape.SampleCount;

    public long Forwards { get; private set; }

    public long Backwards { get; private set; }

    /// <summary>Frees the recorded passes; a later query records its own.</summary>
    public void Dispose()
    {
        _programs.Clear();
        _owned.Dispose();
    }

    /// <summary>
    /// Fills in the answers to queries that either all want a gradient or all do not; one that averages over draws takes several rows.
    /// </summary>
    public void Answer(IReadOnlyList<Query> asked)
    {
        var rows = asked.SelectMany(ask => Enumerable.Range(0, ask.Draws).Select(draw => new Row(ask, draw)));
        foreach (var batch in rows.Chunk(options.Batch)) Evaluate(batch, asked[0].Wanted is not null);
    }

    private void Evaluate(Row[] rows, bool gradient)
    {
        int size = Math.Min(Rounded(rows.Length), options.Batch);
        if (!_programs.TryGetValue(size, out var program)) _programs[size] = program = new Program(net, size, options.Bn, _owned);
        for (int i = 0; i < rows.Length; i++) Write(rows[i], program.Points.AsSpan(i * _size, _size));
        program.Forward();
        Forwards += rows.Length;
        TrainingMetrics.Evaluations.Add(rows.Length);
        for (int i = 0; i < rows.Length; i++) Read(rows[i], program, i);
        if (!gradient) return;
        program.Backward(rows.Length);
        Backwards += rows.Length;
        for (int i = 0; i < rows.Length; i++) Collect(rows[i], program.Gradients.AsSpan(i * _size, _size));
    }

    /// <summary>The next number with at most three leading binary digits: 1…8, 10, 12, 14, 16, 20, …</summary>
    private static int Rounded(int rows)
    {
        int step = 1;
        while (rows > 8 * step) step *= 2;
        return (rows + step - 1) / step * step;
    }

    private void Write(in Row row, Span<float> to)
    {
        if (options.Transform is { } transform) transform.Apply(row.Ask.Point, imageShape, Random(row), to);
        else row.Ask.Point.CopyTo(to);
    }

    private static void Read(in Row row, Program program, int index)
    {
        var ask = row.Ask;
        int k = program.Classes;
        ask.Logits = program.Logits.AsSpan(index * k, k).ToArray();
        foreach (float value in ask.Logits)
            if (!float.IsFinite(value)) throw NotFinite(ask, value);
        if (ask.Wanted is not { } loss) return;
        var input = new LossInput
        {
            Logits = ask.Logits,
            Clean = ask.Subject.Clean,
            Label = ask.Subject.Label,
            Target = ask.Target,
        };
        ask.Loss = loss.Evaluate(input, program.Cotangents.AsSpan(index * k, k));
    }

    // The mean over the draws is summed in their order.
    private void Collect(in Row row, Span<float> gradient)
    {
        var ask = row.Ask;
        if (options.Transform is { } transform) transform.PullBack(ask.Point, imageShape, Random(row), gradient);
        if (row.Draw == 0) ask.Gradient = gradient.ToArray();
        else
            for (int i = 0; i < gradient.Length; i++) ask.Gradient[i] += gradient[i];
        if (row.Draw < ask.Draws - 1) return;
        if (ask.Draws > 1)
            for (int i = 0; i < ask.Gradient.Length; i++) ask.Gradient[i] /= ask.Draws;
        Judge(ask);
    }

    private static void Judge(Query ask)
    {
        bool zero = true, bad = false;
        foreach (float g in ask.Gradient)
        {
            zero &= g == 0;
            bad |= !float.IsFinite(g);
        }
        if (zero) ask.Subject.ZeroGradients++;
        if (!bad) return;
        ask.Subject.BadGradients++;
        for (int i = 0; i < ask.Gradient.Length; i++)
            if (!float.IsFinite(ask.Gradient[i])) ask.Gradient[i] = 0;
    }

    // Each draw of a query has room for as many numbers as an image has values.
    private static PhiloxStream Random(in Row row) => NoiseOf(row.Ask.Noise, row.Draw);

    /// <summary>The random numbers of one draw of a query, its own in every restart for the first 2^18 queries of a part.</summary>
    internal static PhiloxStream NoiseOf(in RandomKey noise, int draw)
    {
        int number = noise.Restart * InputCheck.MostDraws + draw; // the restart of a key has 12 bits, its iteration 24
        return (noise with { Restart = number & 0xFFF, Iteration = noise.Iteration + (number >> 12 << 18) }).Stream();
    }

    private static Exception NotFinite(Query ask, float value) => ask.Subject.Attack is { } attack && !AttackRunner.IsFinite(ask.Point)
        ? attack.Broken("asks about a point that is not finite") : new NotFiniteException(ask.Subject.Index, value);

    private readonly record struct Row(Query Ask, int Draw);

    /// <summary>The recorded passes of one batch size.</summary>
    private sealed class Program
    {
        private readonly Tensor _x;
        private readonly Tensor _logits;
        private readonly Tensor _cotangent;
        private readonly Tape _tape;

        public Program(Classifier net, int size, BnMode bn, OwnedTensors owned)
        {
            _x = owned.Create(net.InputShape.WithBatch(size), needsGrad: true, "attacked");
            _tape = owned.Own(new Tape(net.Device, Rpat.Engine.Autograd.Gradients.Inputs));
            _logits = _tape.Retain(net.Forward(_tape, _x, bn));
            _cotangent = owned.Own(_tape.Cotangent(_logits));
            (Points, Gradients) = (new float[_x.Shape.Count], new float[_x.Shape.Count]);
            (Logits, Cotangents) = (new float[_logits.Shape.Count], new float[_logits.Shape.Count]);
        }

        public int Classes => _logits.Shape.C;
        public float[] Points { get; }
        public float[] Logits { get; }
        public float[] Cotangents { get; }
        public float[] Gradients { get; }

        public void Forward()
        {
            _x.Upload(Points);
            _tape.Forward();
            _logits.CopyTo(Logits);
        }

        public void Backward(int rows)
        {
            Cotangents.AsSpan(rows * Classes).Clear();
            _cotangent.Upload(Cotangents);
            _tape.Backward();
            _x.Device.Download(_x.Grad, Gradients);
        }
    }
}

/// <summary>The network returned NaN or infinity: no accuracy can be stated.</summary>
public sealed class NotFiniteException(long Sample, float Value) : Exception(FormattableString.Invariant(
    $"The model's logits for image {Sample} hold {Value}, so nothing can be said about its class: check the checkpoint and its normalisation."));
