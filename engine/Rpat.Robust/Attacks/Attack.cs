using System.Reflection;

namespace Rpat.Robust.Attacks;

/// <summary>A separately tried part of an attack: one target class, one restart.</summary>
/// <param name="Rank">Rank of the target among the clean logits (2 is the runner-up), or 0 when the attack has no target.</param>
/// <param name="Restart">Number of the restart, from 0.</param>
public readonly record struct AttackPart(int Rank, int Restart);

/// <summary>Result of a part of an attack on one image.</summary>
/// <param name="Point">The best point <c>[C·H·W]</c>, in [0,1].</param>
/// <param name="Fooled">Whether it has the class that the attack wants and, for attacks without a radius, lies in the ball.</param>
/// <param name="Score">Ranks the results of several parts when none succeeded: larger is better.</param>
/// <param name="Iteration">The iteration in which the point was found.</param>
public sealed record AttackResult(float[] Point, bool Fooled, double Score, int Iteration);

/// <summary>Makes your own start <c>[C·H·W]</c> for an image and a part of an attack; null uses the attack's.</summary>
public delegate float[]? Initialisation(Subject subject, AttackPart part);

/// <summary>
/// An attack: what it does to <i>one</i> image, written as a plain loop that awaits the network. Settings are init-only; the defaults
/// of each attack are those of attacks.md.
/// </summary>
public abstract record Attack
{
    private const uint Own = 64;

    private readonly double _eps = 8 / 255.0;

    /// <summary>Name in options, ledgers and reports: that of <see cref="AttackAttribute"/>, unless it depends on the settings.</summary>
    public virtual string Name => GetType().GetCustomAttribute<AttackAttribute>()?.Name ?? GetType().Name;

    /// <summary>Every setting that changes a result, in one line.</summary>
    public abstract string Settings { get; }

    /// <summary>Those, with what any attack may have: several restarts, and a start of your own.</summary>
    internal string AllSettings => Settings
        + (Restarts == 1 || Settings.Contains("restarts=", StringComparison.Ordinal) ? "" : Text($" restarts={Restarts}"))
        + (Start is null ? "" : " start=own");

    /// <summary>The geometry.</summary>
    public Norm Norm { get; init => field = InputCheck.Given(value); } = Norm.Linf;

    /// <summary>Radius in pixel units of [0,1].</summary>
    /// <exception cref="ArgumentException">It is negative or not a number.</exception>
    public double Eps
    {
        get => _eps;
        init => _eps = value >= 0 && double.IsFinite(value) ? value
            : throw new ArgumentException($"Attack: eps {value} must not be negative.");
    }

    /// <summary>
    /// Whether it searches the nearest misclassified point: its radius then only says which of them count, and may be any number.
    /// </summary>
    public virtual bool FindsNearest => false;

    /// <summary>Independent tries; the attack succeeds on an image when one of them does.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int Restarts { get; init => field = InputCheck.FromOne(value); } = 1;

    /// <summary>Your own start, or null for the attack's; <see cref="DeepFool"/> and <see cref="CarliniWagner"/> take none.</summary>
    public Initialisation? Start { get; init; }

    /// <summary>Whether it takes <see cref="Start"/>.</summary>
    internal virtual bool TakesStart => true;

    /// <summary>
    /// Number that separates the attack's random numbers from those of other attacks; below 1024. The library's own are below 64 and
    /// never renumbered; others are derived from the name, the same in each run.
    /// </summary>
    internal virtual int Id => (int)(Own + Name.Aggregate(2166136261u, (hash, c) => unchecked((hash ^ c) * 16777619u)) % (1024 - Own));

    /// <summary>Length of its steps in pixel units; null if it finds them itself.</summary>
    internal virtual double? StepLength => null;

    /// <summary>The geometry on the host.</summary>
    protected NormGeometry Ball => Norm.Geometry;

    /// <summary>The parts, in the order in which they are tried.</summary>
    public virtual IReadOnlyList<AttackPart> Parts(int classes) => [.. Enumerable.Range(0, Restarts).Select(r => new AttackPart(0, r))];

    /// <summary>
    /// Approximate number of evaluations of the network for an image that survives a part; a gradient counts as three. For forecasts.
    /// </summary>
    public virtual long Cost(int classes) => 4;

    /// <summary>Tries one part on one image that still has its true class (or does not have the goal yet).</summary>
    protected internal abstract Task<AttackResult> Run(Subject subject, AttackPart part);

    /// <summary>The parts of an attack that may not be ours.</summary>
    /// <exception cref="ContractException">There are none.</exception>
    internal IReadOnlyList<AttackPart> PartsTried(int classes) =>
        Parts(classes) is { Count: > 0 } parts ? parts : throw Broken("has no parts: return one AttackPart at least");

    /// <summary>The error for an attack that does something else than attacks must.</summary>
    internal ContractException Broken(string what) => new(GetType(), $"(attack '{Name}') {what}.");

    /// <exception cref="ArgumentException">Radius or step are not in pixel units of [0,1], or it does not know the norm or takes no
    /// start.</exception>
    internal void Check(Shape image)
    {
        if (Start is not null && !TakesStart) throw new ArgumentException($"{Name} begins at the image itself: give it no Start.");
        AttackCatalog.RequireNorm(Name, Norm);
        if (!FindsNearest) InputCheck.RequireRadius($"{Name}: ", Norm, Eps, image);
        if (Eps > 0 && StepLength is { } step) InputCheck.RequireStep($"{Name}: ", Norm, step, Eps, image);
    }

    /// <summary>The parts of an attack with targets: each target with each restart.</summary>
    protected static IReadOnlyList<AttackPart> TargetedParts(int targets, int restarts, int classes) =>
    [
        .. from rank in Enumerable.Range(2, Math.Min(targets, classes - 1))
           from restart in Enumerable.Range(0, restarts)
           select new AttackPart(rank, restart),
    ];

    /// <summary>
    /// A copy of the user's starting point, moved into ball and box, which no result may leave; null without one.
    /// </summary>
    /// <param name="factor">The ball's size, in radii.</param>
    /// <exception cref="ArgumentException">It is of another size than the image.</exception>
    protected float[]? OwnStart(Subject subject, AttackPart part, double factor = 1)
    {
        if (Start?.Invoke(subject, part) is not { } own) return null;
        if (own.Length != subject.Image.Length)
            throw new ArgumentException($"{Name}: Start gives {own.Length} values where an image has {subject.Image.Length}.");
        float[] start = [.. own];
        if (!FindsNearest) Ball.Project(subject.Image, start, factor * Eps);
        return start;
    }

    /// <summary>Settings in one line, numbers in the invariant culture.</summary>
    protected static string Text(FormattableString settings) => FormattableString.Invariant(settings);
}
