namespace Rpat.Robust.Objectives;

/// <summary>
/// What a training step's loss may use: the logits at the image x, at its adversarial version x′ and at points between them.
/// Each view is recorded when a term first requests it, so the order of the terms is the order of the training-mode forwards,
/// which is part of a method's definition (methods.md 1.5).
/// </summary>
public sealed partial class ViewLogits
{
    private readonly StepProgram _program;
    private readonly SampleWeighting? _weighting;
    private readonly BnMode _bn;
    private readonly ScheduledTerms _schedule;
    private readonly Dictionary<float, Tensor> _logits = [];
    private readonly Type _method;
    private readonly bool _attacks;
    private Tensor? _sampleWeights, _shared;

    internal ViewLogits(StepProgram program, ActiveMethod method, Tape tape, BnMode bn, ScheduledTerms schedule)
    {
        (_program, _weighting, Tape, _bn, _schedule) = (program, method.Weighting, tape, bn, schedule);
        (Smoothing, _method) = (method.Smoothing, method.Method.GetType());
        _attacks = method.Method.Attack is not null || program.Search is not null;
    }

    /// <summary>Where the loss is recorded.</summary>
    public Tape Tape { get; }

    /// <summary>True classes.</summary>
    public Labels Labels => _program.Labels;

    /// <summary>Target probabilities <c>[N, K]</c>, or null when the targets are the classes.</summary>
    public Tensor? Targets => _program.Targets;

    /// <summary>The uniform distribution's share in the targets of cross-entropies (<see cref="Modifier.Smoothing"/>).</summary>
    public float Smoothing { get; }

    /// <summary>z(x).</summary>
    public Tensor Clean => At(0);

    /// <summary>z(x′).</summary>
    public Tensor Adversarial => At(1);

    /// <summary>Logits of the averaged network, which are constants.</summary>
    public FrozenViews Averaged => _program.Averaged(BnMode.Eval);

    /// <summary>Logits of the averaged network with the statistics of the batch.</summary>
    public FrozenViews AveragedOnBatch => _program.Averaged(BnMode.TrainFrozen);

    /// <summary>
    /// For each image of the batch, how many of the attack's iterates were classified correctly (<see cref="PgdOptions.CountsCorrect"/>).
    /// </summary>
    public ReadOnlyMemory<int> CorrectCounts => _program.Hits;

    /// <summary>The results of the search for margins (<see cref="Objective.Margins"/>).</summary>
    public Margins Margins => _program.Margins;

    /// <summary>
    /// Sample weights for the term that trains on x′, if a modifier gives them; else null. A method must pass them to that term.
    /// </summary>
    public Tensor? SampleWeights => _weighting is null ? null : _sampleWeights ??= Weights(Adversarial, _weighting);

    /// <summary>Whether modifiers weight the samples.</summary>
    public bool WeighsSamples => _weighting is not null;

    /// <summary>Whether the loss used the modifiers' weights, if there are any.</summary>
    internal bool TookWeights => _weighting is null || _sampleWeights is not null;

    /// <summary>The logits whose accuracy a training log shows: x′ if the loss uses it, else x.</summary>
    internal Tensor Shown => Attacked ?? Clean;

    /// <summary>The logits at x′, or where each row has its own share of the perturbation; null if the loss uses neither.</summary>
    internal Tensor? Attacked => Recorded(1) ?? _shared;

    /// <summary>The logits at a point if the loss uses them, else null.</summary>
    internal Tensor? Recorded(float alpha) => _logits.GetValueOrDefault(alpha);

    /// <summary>z(x + α(x′ − x)).</summary>
    public Tensor At(float alpha) => _logits.TryGetValue(alpha, out var logits) ? logits : _logits[alpha] = Recompute(alpha);

    /// <summary>Another forward pass at x + α(x′ − x): the same logits again, whose batch updates the running statistics again.</summary>
    public Tensor Recompute(float alpha)
    {
        var x = _program.X;
        var point = alpha switch { 0 => x, 1 => Perturbed, _ => Tape.Lerp(x, Perturbed, alpha) };
        // A search for margins has already run the training-mode forward on x: a repetition must not update the statistics again.
        var bn = alpha == 0 && _program.Search is not null ? BnMode.TrainFrozen : _bn;
        return Forward(point, bn);
    }

    /// <summary>
    /// z(x) and z(x′) from one forward of both, which makes them one batch for batch norms; later requests for either return these.
    /// </summary>
    public (Tensor Clean, Tensor Adversarial) Joint()
    {
        var (clean, adversarial) = Tape.Halves(_program.Net.Forward(Tape, Tape.Stack(_program.X, Perturbed), _bn));
        return (_logits[0] = Tape.Retain(clean), _logits[1] = Tape.Retain(adversarial));
    }

    /// <summary>z(x + s(x′ − x)), a share s for each row, <c>[N, 1]</c>: a forward of its own.</summary>
    public Tensor At(Tensor share) => _shared = Forward(Tape.Lerp(_program.X, Perturbed, share));

    /// <summary>z(s·x′₁ + (1 − s)·x′₂) of the two views of each image, a share s for each image, <c>[N, 1]</c>.</summary>
    public Tensor MixedViews(Tensor share)
    {
        var (first, second) = Tape.Halves(Perturbed);
        return Forward(Tape.Lerp(second, first, share));
    }

    /// <summary>Logits of the trained network itself in evaluation mode, before the step: constants.</summary>
    public FrozenViews Own => _program.Own;

    /// <summary>
    /// One number per row, <c>[N, 1]</c>, that the host computes before the step's pass from logits that are constants (<see cref="Own"/>,
    /// a teacher's, an average's): a constant of the gradient.
    /// </summary>
    /// <param name="views">Rows per image: 2 for one per view, 1 for one per image.</param>
    public Tensor Given(int views, GivenRule rule, params Tensor[] logits) =>
        _program.Given(_program.X.Shape.N * views / (_program.TwoViews ? 2 : 1), rule, logits);

    /// <summary>Logits of a frozen teacher, which are constants.</summary>
    public FrozenViews Teacher(string name) => _program.Teacher(name);

    /// <summary>A loss times a coefficient that may change during the run.</summary>
    public Loss Times(Coefficient coefficient, Loss loss) => _schedule.Add(coefficient, loss);

    private Tensor Perturbed => _attacks ? _program.Adversarial
        : throw new ContractException(_method, "has no Attack, and its loss, or a modifier's, uses x': give it one, or use v.Clean.");

    private Tensor Forward(Tensor images, BnMode? bn = null) => Tape.Retain(_program.Net.Forward(Tape, images, bn ?? _bn));
}
