namespace Rpat.Robust.Attacks;

/// <summary>Settings of projected gradient descent (attacks.md 1.3; methods.md 2.1 row A).</summary>
public sealed record PgdOptions
{
    private readonly PgdStart? _start;
    private readonly BnMode? _bn;
    private readonly float? _stepSize;

    /// <summary>The paper's training attack: L∞, ε 8/255, step 2/255, 10 steps.</summary>
    public static PgdOptions Linf { get; } = new();

    /// <summary>The paper's L2 training attack: ε 128/255, step 15/255, 10 steps.</summary>
    public static PgdOptions L2 { get; } = new() { Norm = Norm.L2, Eps = 128 / 255f };

    /// <summary>Geometry.</summary>
    public Norm Norm { get; init; } = Norm.Linf;

    /// <summary>Radius in pixel units of [0,1].</summary>
    public float Eps { get; init; } = 8 / 255f;

    /// <summary>Length of a step; unless given, ε/4 for L∞ and 15/128·ε for other norms.</summary>
    public float StepSize { get => _stepSize ?? (float)Norm.StepOf(Eps); init => _stepSize = value; }

    /// <summary>Gradient steps.</summary>
    public int Steps { get; init; } = 10;

    /// <summary>
    /// Epochs in which radius and step rise in a straight line to these values: 1/n of them in the first epoch; 0 for none.
    /// </summary>
    public int Rise { get; init; }

    /// <summary>Starts; with more than one, each image keeps the result of largest loss.</summary>
    public int Restarts { get; init; } = 1;

    /// <summary>Where the attack starts; if not set, the method decides, by default <see cref="PgdStart.Ball"/>.</summary>
    public PgdStart Start
    {
        get => _start ?? PgdStart.Ball;
        init => _start = value;
    }

    /// <summary>Start at a random point instead of at the image.</summary>
    public bool RandomStart
    {
        get => Start != PgdStart.Image;
        init => Start = value ? PgdStart.Ball : PgdStart.Image;
    }

    /// <summary>The loss to maximise.</summary>
    public InnerLoss Loss { get; init; } = InnerLoss.CrossEntropy;

    /// <summary>Count for each image the iterates that were still classified correctly, before each step (GAIRAT's κ).</summary>
    public bool CountsCorrect { get; init; }

    /// <summary>What the official code of a method does in addition to its definition.</summary>
    public ReferenceQuirks Quirks { get; init; }

    /// <summary>
    /// Statistics that batch norms use while attacking; if not set, the method decides, by default <see cref="BnMode.Eval"/>.
    /// </summary>
    public BnMode Bn
    {
        get => _bn ?? BnMode.Eval;
        init => _bn = value;
    }

    /// <summary>A method's attack with these settings: its loss, and its start and batch-norm mode if not set here.</summary>
    public PgdOptions For(InnerLoss loss, PgdStart start = PgdStart.Ball, BnMode bn = BnMode.Eval,
        ReferenceQuirks quirks = ReferenceQuirks.None) =>
        this with { Loss = loss, Start = _start ?? start, Bn = _bn ?? bn, Quirks = Quirks | quirks };

    /// <summary>What radius and step are multiplied by.</summary>
    internal float ShareAt(in StepContext moment) =>
        Rise == 0 || moment.Epoch == 0 ? 1 : Math.Min(1, moment.Epoch / (float)Rise);

    internal bool Has(ReferenceQuirks quirk) => Quirks.HasFlag(quirk);

    internal void Check(Shape image)
    {
        InputCheck.RequireRadius("Pgd: ", Norm, Eps, image);
        InputCheck.RequireStep("Pgd: ", Norm, StepSize, Eps, image);
        Require(Rise >= 0, $"a rise over {Rise} epochs is none");
        Require(Steps >= 0 && Restarts >= 1, $"{Steps} steps and {Restarts} restarts make no attack");
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition) throw new ArgumentException($"Pgd: {problem}.");
    }
}
