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
    public Norm Norm { get; init => field = InputCheck.Given(value); } = Norm.Linf;

    /// <summary>Radius in pixel units of [0,1].</summary>
    public float Eps { get; init; } = 8 / 255f;

    /// <summary>Length of a step; unless given, ε/4 for L∞ and 15/128·ε for other norms.</summary>
    public float StepSize { get => _stepSize ?? (float)Norm.StepOf(Eps); init => _stepSize = value; }

    /// <summary>Gradient steps.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int Steps { get => IsNoise ? 0 : field; init => field = InputCheck.FromOne(value); } = 10;

    /// <summary>Whether the start is the whole attack.</summary>
    internal bool IsNoise { get; init; }

    /// <summary>
    /// Epochs in which radius and step rise in a straight line to these values: 1/n of them in the first epoch; 0 for none.
    /// </summary>
    public int Rise { get; init; }

    /// <summary>Starts; with more than one, each image keeps the result of largest loss.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int Restarts { get; init => field = InputCheck.FromOne(value); } = 1;

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
    public InnerLoss Loss { get; init => field = InputCheck.Given(value); } = InnerLoss.CrossEntropy;

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

    internal bool Has(ReferenceQuirks quirk) => (Quirks & quirk) != 0;

    internal void Check(Shape image)
    {
        InputCheck.RequireRadius("Pgd: ", Norm, Eps, image);
        InputCheck.RequireStep("Pgd: ", Norm, StepSize, Eps, image);
        if (Rise < 0) throw new ArgumentException($"Pgd: a rise over {Rise} epochs is none.");
    }
}
