namespace Rpat.Robust.Attacks;

/// <summary>A value of an attack's inner state, for tests and diagnostics.</summary>
/// <param name="Quantity">Which value: <c>loss</c>, <c>best</c>, <c>step</c>, <c>norm</c>, <c>margin</c>…</param>
/// <param name="Iteration">The iteration, from 0.</param>
public readonly record struct TracePoint(string Quantity, int Iteration, double Value);

/// <summary>
/// One image under attack, isolated from the others: nothing of the other images of its batch affects it, and its random numbers are
/// keyed by its index, so no result depends on batch size, order or which images are finished.
/// </summary>
public sealed class Subject
{
    private readonly AttackRunner _runner;
    private RandomKey _noise;

    internal Subject(AttackRunner runner, long index, float[] image, int label, int? goal = null)
    {
        (_runner, Index, Image, Label, Goal) = (runner, index, image, label, goal);
        NormGeometry.Box(image); // a round trip through decimal text may leave −3e-8
        Clean = [];
        _noise = CleanKey(runner.Options.Seed, index);
    }

    /// <summary>Index of the image in its data set.</summary>
    public long Index { get; }

    /// <summary>The clean image <c>[C·H·W]</c> in [0,1]; do not modify it.</summary>
    public float[] Image { get; }

    /// <summary>True class.</summary>
    public int Label { get; }

    /// <summary>The class that a targeted attack wants, or null: any but the true one.</summary>
    public int? Goal { get; }

    /// <summary>Channels, height and width of an image.</summary>
    public Shape Shape => _runner.ImageShape;

    /// <summary>Whether two passes over one image may differ, so that a single misclassification proves little.</summary>
    public bool IsRandom => _runner.IsRandom;

    /// <summary>Number of logits.</summary>
    public int Classes => _runner.Net.Classes;

    /// <summary>Logits of the clean image <c>[K]</c>, set once an attack has begun.</summary>
    public float[] Clean { get; internal set; }

    /// <summary>Evaluations of the network so far.</summary>
    public long Forwards { get; private set; }

    /// <summary>Those of them with a gradient.</summary>
    public long Backwards { get; private set; }

    /// <summary>Gradients so far that were zero everywhere: no gradient-based attack can move there.</summary>
    public long ZeroGradients { get; internal set; }

    /// <summary>Gradients so far that contained NaN or infinity, treated as zero.</summary>
    public long BadGradients { get; internal set; }

    /// <summary>Receives the attack's inner values, or null.</summary>
    public Action<TracePoint>? Trace { get; set; }

    /// <summary>
    /// Begins a part of an attack: the noise of a random model is numbered from here, so that a part does not depend on earlier queries.
    /// </summary>
    internal void Enter(Attack attack, AttackPart part) => (Attack, _noise) =
        (attack, _noise with { Epoch = (attack.Id << 10) | part.Rank, Restart = part.Restart, Iteration = 0 });

    /// <summary>The attack of the current part, or null before the first.</summary>
    internal Attack? Attack { get; private set; }

    /// <summary>Queries the logits at a point.</summary>
    /// <param name="point">An image <c>[C·H·W]</c>; must not be changed before the answer.</param>
    public Query Logits(float[] point) => Enqueue(new Query(this, point, null, -1, 1) { Noise = NextNoise() });

    /// <summary>Queries the logits, a loss and its gradient at a point.</summary>
    /// <param name="point">An image <c>[C·H·W]</c>; must not be changed before the answer.</param>
    /// <param name="target">The loss's target class; −1 for <see cref="Goal"/>, or none.</param>
    /// <param name="draws">Gradients to average over if the model is random.</param>
    /// <exception cref="ArgumentException">The target is no class, or the loss needs one.</exception>
    public Query Gradient(float[] point, AttackLoss loss, int target = -1, int draws = 1)
    {
        int of = target >= 0 ? target : Goal ?? -1;
        if (of >= Clean.Length) throw new ArgumentException($"{target} is no class of 0 to {Clean.Length - 1}: give another target.");
        if (of < 0 && loss == AttackLoss.Gap) throw new ArgumentException("The gap is one to a target class: give a target.");
        return Enqueue(new Query(this, point, loss, of, InputCheck.Draws(draws)) { Noise = NextNoise() });
    }

    /// <summary>Queries the logits that decide whether a point counts; the seed suffices to repeat exactly this pass.</summary>
    /// <param name="point">An image <c>[C·H·W]</c>; must not be changed before the answer.</param>
    /// <param name="stage">Place of the attack in its suite.</param>
    /// <param name="pass">Number of the pass, from 0.</param>
    internal Query Decision(float[] point, int stage, AttackPart part, int pass) =>
        Enqueue(new Query(this, point, null, -1, 1)
        { Noise = DecisionKey(_runner.Options.Seed, Index, stage, part.Rank, part.Restart, pass) });

    /// <summary>The key of the noise of a deciding pass.</summary>
    internal static RandomKey DecisionKey(ulong seed, long index, int stage, int rank, int restart, int pass) =>
        new(seed, Purpose.Decision, (stage << 10) | rank, index, restart, pass);

    /// <summary>The key of the noise of the pass over the clean image.</summary>
    internal static RandomKey CleanKey(ulong seed, long index) => new(seed, Purpose.Noise, 0, index, 0, 0);

    /// <summary>Whether logits mean success: the goal, or any class but the true one.</summary>
    public bool Succeeds(ReadOnlySpan<float> logits)
    {
        int predicted = Predictions.ArgMax(logits);
        return Goal is { } goal ? predicted == goal : predicted != Label;
    }

    /// <summary>How far the logits are from success: z_y − max_{k≠y} z_k, or max_{k≠t} z_k − z_t with a goal.</summary>
    public double Margin(ReadOnlySpan<float> logits)
    {
        int own = Goal ?? Label;
        double gap = (double)logits[own] - logits[RowMath.LargestExcept(logits, own)];
        return Goal is null ? gap : -gap;
    }

    /// <summary>
    /// The target class of a targeted part: the goal, or the one of that rank, counted from 2, among the clean logits of all but the
    /// true class, which is never a target, however a random model ranked it in this pass.
    /// </summary>
    /// <param name="clean">Logits of the clean image.</param>
    /// <param name="rank">Rank, from 2.</param>
    public int TargetOfRank(ReadOnlySpan<float> clean, int rank) => Goal ?? Ranking(clean).Where(k => k != Label).ElementAt(rank - 2);

    /// <summary>The classes by descending logit; ties by index.</summary>
    public static int[] Ranking(ReadOnlySpan<float> logits)
    {
        float[] values = logits.ToArray();
        return [.. Enumerable.Range(0, values.Length).OrderByDescending(k => values[k])];
    }

    /// <summary>The random numbers of a part of an attack.</summary>
    /// <param name="attack">The attack: two attacks draw different numbers unless their ids are the same.</param>
    public PhiloxStream Random(Attack attack, AttackPart part, Purpose purpose = Purpose.AttackStart, int iteration = 0) =>
        new RandomKey(_runner.Options.Seed, purpose, (attack.Id << 10) | part.Rank, Index, part.Restart, iteration).Stream();

    /// <summary>Reports an inner value.</summary>
    public void Tell(string quantity, int iteration, double value) => Trace?.Invoke(new TracePoint(quantity, iteration, value));

    private RandomKey NextNoise()
    {
        var key = _noise;
        _noise = key with { Iteration = key.Iteration + 1 };
        return key;
    }

    private Query Enqueue(Query ask)
    {
        if (ask.Point.Length != Image.Length)
            throw new ArgumentException(
                $"A point of {ask.Point.Length} values is no image of {Image.Length}: give channels, height and width as one row.");
        Forwards += ask.Draws;
        if (ask.Wanted is not null) Backwards += ask.Draws;
        _runner.Enqueue(ask);
        return ask;
    }
}
