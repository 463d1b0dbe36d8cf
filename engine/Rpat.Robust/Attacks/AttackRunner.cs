namespace Rpat.Robust.Attacks;

/// <summary>How the network is queried.</summary>
public sealed record AttackRunnerOptions
{
    /// <summary>Images under attack at a time, and the maximum rows per pass of the network.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Seed of all random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>A step before the network that belongs to the defence, or null.</summary>
    public InputTransform? Transform { get; init; }

    /// <summary>Statistics that batch norms use.</summary>
    public BnMode Bn { get; init; } = BnMode.Eval;

    /// <summary>Allows batch statistics, with which images of a batch affect each other's results.</summary>
    public bool AllowTrainingMode { get; init; }
}

/// <summary>Result of an attack on one image.</summary>
/// <param name="Image">The adversarial image <c>[C·H·W]</c>, or the best point where the attack failed;
/// the clean one if it was not attacked.</param>
/// <param name="WasCorrect">Whether the clean image needed an attack.</param>
/// <param name="Fooled">Whether the attack succeeded.</param>
/// <param name="Part">The part that succeeded, or the last one.</param>
/// <param name="Iteration">The iteration in which the point was found, of the part that succeeded or came nearest.</param>
/// <param name="Forwards">Evaluations of the network that the image took.</param>
/// <param name="Backwards">Those of them with a gradient.</param>
public sealed record AttackOutcome(
    long Index, float[] Image, bool WasCorrect, bool Fooled, AttackPart Part, int Iteration, long Forwards, long Backwards)
{
    /// <summary>Whether the attack returned a point outside ball or box, which is not counted: a bug of the attack.</summary>
    public bool IsInfeasible { get; init; }
}

/// <summary>
/// Attacks many images at once. The attack on each image is a separate loop that waits whenever it queries the network; the runner
/// answers the queries of all images in few batches. A finished image is replaced by the next one at once.
/// </summary>
public sealed class AttackRunner : IDisposable
{
    private readonly NetBatches _batches;
    private List<Query> _asked = [];
    private int _thread;

    /// <summary>Prepares attacks on a network.</summary>
    /// <param name="imageShape">Channels, height and width for the attacks, if the network itself takes flat rows.</param>
    /// <exception cref="ArgumentException">The batch is empty, or batch norms are in training mode without permission.</exception>
    public AttackRunner(Classifier net, AttackRunnerOptions? options = null, Shape? imageShape = null)
    {
        ArgumentNullException.ThrowIfNull(net);
        (Net, Options, ImageShape) = (net, options ?? new AttackRunnerOptions(), (imageShape ?? net.InputShape).WithBatch(1));
        if (Options.Batch < 1) throw new ArgumentException($"AttackRunner: a batch of {Options.Batch} images cannot be attacked.");
        if (Options.Bn != BnMode.Eval && !Options.AllowTrainingMode)
            throw new ArgumentException(
                "AttackRunner: the model is in training mode, in which the images of a batch change each other's results: use eval "
                    + "mode, or allow it.");
        if (ImageShape.SampleCount != net.InputShape.SampleCount)
            throw new ShapeException("AttackRunner", $"images {ImageShape} do not fit the network's {net.InputShape}");
        _batches = new NetBatches(net, Options, ImageShape);
        IsRandom = Options.Transform?.IsRandom ?? false;
    }

    /// <summary>The network.</summary>
    public Classifier Net { get; }

    /// <summary>How it is queried.</summary>
    public AttackRunnerOptions Options { get; }

    /// <summary>Channels, height and width of an image.</summary>
    public Shape ImageShape { get; }

    /// <summary>Evaluations of the network so far.</summary>
    public long Forwards => _batches.Forwards;

    /// <summary>Those of them with a gradient.</summary>
    public long Backwards => _batches.Backwards;

    /// <summary>Whether two passes over one image may differ: because of the transform, or because an evaluation detected it.</summary>
    internal bool IsRandom { get; set; }

    /// <summary>Called after each round of answers.</summary>
    internal Action Tick { get; set; } = () => { };

    /// <summary>Frees the device memory of the recorded passes; a later attack records them anew.</summary>
    public void Dispose() => _batches.Dispose();

    /// <summary>Attacks images.</summary>
    /// <param name="images"><c>[N, C, H, W]</c> in [0,1].</param>
    /// <param name="labels">True classes <c>[N]</c>.</param>
    /// <param name="samples">Index of each image, which selects its random numbers; 0…N−1 when null.</param>
    /// <param name="goals">The class that each image is to get (targeted mode), or null; an image of that class is left unchanged.</param>
    /// <param name="prepare">Receives each image before it is attacked, to follow it with <see cref="Subject.Trace"/>.</param>
    /// <returns>One outcome per image, in their order.</returns>
    /// <exception cref="ArgumentException">
    /// The images are not in [0,1], sizes or labels do not match, or the attack's radius is not in pixel units or its norm not one of its
    /// own.
    /// </exception>
    /// <exception cref="NotFiniteException">The network returned NaN or infinity.</exception>
    public AttackOutcome[] Perturb(
        Attack attack, ReadOnlySpan<float> images, ReadOnlySpan<int> labels, long[]? samples = null, int[]? goals = null,
        Action<Subject>? prepare = null)
    {
        ArgumentNullException.ThrowIfNull(attack);
        InputCheck.Require(images, labels, ImageShape, Net.Classes);
        attack.Check(ImageShape);
        foreach (var (many, what) in new[] { (samples?.Length, "sample indices"), (goals?.Length, "goals") })
            if (many is { } count && count != labels.Length)
                throw new ArgumentException($"{labels.Length} images need {labels.Length} {what}, got {count}.");
        if (goals is not null) InputCheck.RequireClasses(goals, Net.Classes);
        var subjects = new Subject[labels.Length];
        for (int i = 0; i < subjects.Length; i++)
        {
            float[] image = images.Slice(i * ImageShape.SampleCount, ImageShape.SampleCount).ToArray();
            subjects[i] = new Subject(this, samples?[i] ?? i, image, labels[i], goals?[i]);
            prepare?.Invoke(subjects[i]);
        }
        var outcomes = new Dictionary<Subject, AttackOutcome>();
        Run(subjects, async subject => outcomes[subject] = await Perturb(attack, subject));
        return [.. subjects.Select(s => outcomes[s])];
    }

    /// <summary>
    /// Attacks one image part by part until one succeeds. Already misclassified images are returned unchanged; so are, with a goal, those
    /// that have it already or whose true class it is.
    /// </summary>
    internal static async Task<AttackOutcome> Perturb(Attack attack, Subject s)
    {
        long forwards = s.Forwards, backwards = s.Backwards;
        s.Clean = (await s.Logits(s.Image)).Logits;
        if (s.Succeeds(s.Clean) || s.Goal == s.Label)
            return new AttackOutcome(s.Index, s.Image, false, false, default, -1, s.Forwards - forwards, s.Backwards - backwards);
        AttackResult? best = null;
        AttackPart last = default;
        bool left = false;
        foreach (var part in PartsFor(attack, s))
        {
            s.Enter(attack, part);
            var result = await Attempt(attack, s, part);
            last = part;
            if (result.Fooled && !attack.Norm.Holds(s.Image, result.Point, attack.Eps))
                (result, left) = (new AttackResult(s.Image, false, double.NegativeInfinity, -1), true);
            if (best is null || result.Fooled || result.Score > best.Score) best = result;
            if (result.Fooled) break;
        }
        return new AttackOutcome(
            s.Index, best!.Point, true, best.Fooled, last, best.Iteration, s.Forwards - forwards, s.Backwards - backwards)
        {
            IsInfeasible = left,
        };
    }

    /// <summary>Runs one part of an attack that may not be ours.</summary>
    /// <exception cref="ContractException">It returns no image or one that cannot be, or writes into the image that it is given.</exception>
    internal static async Task<AttackResult> Attempt(Attack attack, Subject s, AttackPart part)
    {
        float[] image = [.. s.Image];
        var result = await (attack.Run(s, part) ?? throw attack.Broken("returns no task: return one AttackResult for each part"));
        return Fault(s, image, result) is { } what ? throw attack.Broken(what) : result;
    }

    private static string? Fault(Subject s, float[] image, AttackResult? result) => result switch
    {
        _ when !image.AsSpan().SequenceEqual(s.Image) => "writes into its Subject's Image: change a copy",
        null or { Point: null } => "returns no result: return one AttackResult for each part",
        { Point.Length: var count } when count != image.Length =>
            FormattableString.Invariant($"returns {count} pixels of an image of {image.Length}: return the whole image"),
        { Score: double.NaN } => "returns a score that is no number: return how near it came",
        { Point: var point } when !IsFinite(point) => "returns a pixel that is not finite",
        { Fooled: true, Point: var point } when !s.IsRandom && point.AsSpan().SequenceEqual(image) && !s.Succeeds(s.Clean) =>
            "says that the unchanged image has another class: decide by Subject.Succeeds of the point's logits",
        _ => null,
    };

    internal static bool IsFinite(ReadOnlySpan<float> point) =>
        !point.ContainsAny(float.NaN, float.PositiveInfinity, float.NegativeInfinity);

    // With a goal there is one target, whatever its rank.
    private static IEnumerable<AttackPart> PartsFor(Attack attack, Subject s) =>
        s.Goal is null ? attack.PartsTried(s.Classes) : attack.PartsTried(s.Classes).DistinctBy(part => part.Restart);

    /// <summary>Does some work on each image, in order, as many at a time as the batch holds.</summary>
    /// <param name="subjects">The images; the next is taken when there is room.</param>
    /// <param name="work">What to do with one; it may await nothing but its own queries.</param>
    /// <param name="finished">Receives each finished image; may cancel by throwing.</param>
    internal void Run(IEnumerable<Subject> subjects, Func<Subject, Task> work, Action<Subject>? finished = null)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null); // continuations run here, in order, and nowhere else
        try
        {
            (_asked, _thread) = ([], Environment.CurrentManagedThreadId);
            Loop(subjects, work, finished ?? (_ => { }));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    internal void Enqueue(Query ask)
    {
        if (Environment.CurrentManagedThreadId != _thread) throw Waits(ask.Subject);
        _asked.Add(ask);
    }

    private static ContractException Waits(Subject s) =>
        s.Attack!.Broken("awaits something else than the network's answers: await only the methods of its Subject");

    private void Loop(IEnumerable<Subject> subjects, Func<Subject, Task> work, Action<Subject> finished)
    {
        using var next = subjects.GetEnumerator();
        var active = new List<(Subject Subject, Task Task)>();
        for (bool more = true; ;)
        {
            while (active.Count < Options.Batch && more)
                if (more = next.MoveNext()) active.Add((next.Current, work(next.Current)));
            if (Reap(active, finished) > 0) continue;
            if (active.Count == 0) return;
            if (_asked.Count == 0) throw Waits(active[0].Subject);
            Answer();
        }
    }

    private static int Reap(List<(Subject Subject, Task Task)> active, Action<Subject> finished)
    {
        int before = active.Count;
        foreach (var (subject, task) in active.Where(a => a.Task.IsCompleted))
        {
            task.GetAwaiter().GetResult(); // rethrows the attack's exception
            finished(subject);
        }
        active.RemoveAll(a => a.Task.IsCompleted);
        return before - active.Count;
    }

    // One kind of query per round, the more frequent one; the others wait and accumulate, so that batches stay full and images in step.
    private void Answer()
    {
        var asked = _asked;
        bool gradients = 2 * asked.Count(ask => ask.Wanted is not null) >= asked.Count;
        Query[] now = [.. asked.Where(ask => ask.Wanted is not null == gradients)];
        _asked = [.. asked.Where(ask => ask.Wanted is not null != gradients)];
        _batches.Answer(now);
        foreach (var ask in now) ask.Complete();
        Tick();
    }
}
