namespace Rpat.Robust.Attacks;

/// <summary>
/// Auto-PGD (Croce and Hein, ICML'20; attacks.md 2.2): steps with momentum whose length starts at 2ε. Whenever the loss has not risen often
/// enough since the last checkpoint, the length is halved and the run returns to the best point. With <see cref="Targets"/> it is APGD-T:
/// one run for each of the classes with the largest clean logits, on the targeted DLR loss.
/// </summary>
public sealed record Apgd : Attack
{
    private const double Momentum = 0.75;


    /// <summary>APGD-CE as AutoAttack runs it.</summary>
    public static Apgd CrossEntropy { get; } = new();

    /// <summary>APGD-DLR.</summary>
    public static Apgd Dlr { get; } = new() { Loss = AttackLoss.Dlr };

    /// <summary>APGD-T with AutoAttack's nine targets (fewer with fewer classes).</summary>
    public static Apgd Targeted { get; } = new() { Loss = AttackLoss.Dlr, Targets = 9 };

    /// <inheritdoc/>
    public override string Name => Targets > 0 ? "apgd-t" : $"apgd-{Loss.Name}";

    /// <inheritdoc/>
    public override string Settings =>
        Text($"loss={Loss.Name} steps={Steps} restarts={Restarts} targets={Targets} rho={Rho:R} draws={Draws} stop={StopAtSuccess} best={BestLoss}{(Shrinks ? " shrinks" : "")}");

    /// <summary>The loss to maximise.</summary>
    public AttackLoss Loss { get; init => field = InputCheck.Given(value); } = AttackLoss.CrossEntropy;

    /// <summary>Gradient steps; the checkpoints follow from them.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int Steps { get; init => field = InputCheck.FromOne(value); } = 100;

    /// <summary>How many classes to target, from the runner-up on; 0 for an untargeted attack.</summary>
    public int Targets { get; init; }

    /// <summary>Share of a window's steps that must have raised the loss.</summary>
    public double Rho { get; init => field = InputCheck.Between(0, 1, value); } = 0.75;

    /// <summary>Gradients averaged in each step where the model is random (EoT).</summary>
    public int Draws { get; init => field = InputCheck.Draws(value); } = 1;

    /// <summary>
    /// End a run at its first misclassified point. No flag depends on it; the reference continues and returns the latest such point. When
    /// the model is random one misclassification proves little, so every run takes all its steps.
    /// </summary>
    public bool StopAtSuccess { get; init; } = true;

    /// <summary>Take all steps and return the point of largest loss, misclassified or not, instead of a misclassified one.</summary>
    public bool BestLoss { get; init; }

    /// <summary>Begin in balls of 3ε and 2ε, 30 % of the steps each (L1 only).</summary>
    public bool Shrinks { get; init; }

    internal override int Id => Targets > 0 ? 12 : Loss == AttackLoss.Dlr ? 11 : 10;

    /// <inheritdoc/>
    public override IReadOnlyList<AttackPart> Parts(int classes) =>
        Targets > 0 ? TargetedParts(Targets, Restarts, classes) : base.Parts(classes);

    /// <inheritdoc/>
    public override long Cost(int classes) => 3L * (Steps + 1) * Draws;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        int target = part.Rank > 0 ? subject.TargetOfRank((await subject.Logits(subject.Image)).Logits, part.Rank) : -1;
        if (Norm == Norm.L1) return await RunSparse(subject, part, target);
        float[] start = OwnStart(subject, part) ?? Ball.OnSphere(subject.Image, Eps, subject.Random(this, part));
        var walk = new Walk(this, subject, start);
        walk.Begin(await subject.Gradient(start, Loss, target, Draws));
        bool stop = Stops(subject);
        for (int i = 0; i < Steps && !(stop && walk.Fooled); i++)
        {
            float[] next = walk.Step(i);
            walk.Arrive(i, await subject.Gradient(next, Loss, target, Draws));
            walk.Review(i);
        }
        return walk.Result();
    }

    private bool Stops(Subject subject) => StopAtSuccess && !BestLoss && !subject.IsRandom;

    /// <summary>For L1: another rule of steps, and possibly in a larger ball first, from whose best point the next one begins.</summary>
    private async Task<AttackResult> RunSparse(Subject subject, AttackPart part, int target)
    {
        var ball = (L1Geometry)NormGeometry.L1;
        int first = (int)Math.Ceiling(0.3 * Steps);
        (int Factor, int Steps)[] phases = Shrinks ? [(3, first), (2, first), (1, Steps - 2 * first)] : [(1, Steps)];
        float[] point = OwnStart(subject, part, phases[0].Factor) ?? ball.Around(subject.Image, phases[0].Factor * Eps, subject.Random(this, part));
        bool stop = Stops(subject);
        SparseWalk walk = null!;
        foreach (var (factor, steps) in phases)
        {
            ball.Project(subject.Image, point, factor * Eps);
            walk = new SparseWalk(subject, point, factor * Eps, steps, known: Shrinks || Start is not null);
            walk.Begin(await subject.Gradient(point, Loss, target, Draws));
            for (int i = 0; i < steps && !(stop && factor == 1 && walk.Fooled); i++)
                walk.Arrive(i, await subject.Gradient(walk.Step(), Loss, target, Draws));
            point = (float[])walk.Best.Clone();
        }
        return walk.Result(BestLoss);
    }

    /// <summary>One run's state.</summary>
    private sealed class Walk
    {
        private readonly Apgd _attack;
        private readonly Subject _subject;
        private readonly ApgdSchedule _schedule;
        private readonly double[] _losses;
        private float[] _point, _previous, _gradient = [];
        private float[] _best, _bestGradient = [];
        private float[]? _adversarial;
        private double _bestLoss, _bestAtCheckpoint, _step;
        private int _window, _sinceCheckpoint, _foundAt = -1, _bestAt = -1;
        private bool _justReduced = true, _bestSucceeds;

        public Walk(Apgd attack, Subject subject, float[] start)
        {
            (_attack, _subject, _schedule, _losses) = (attack, subject, new ApgdSchedule(attack.Steps), new double[attack.Steps]);
            _point = _previous = _best = start;
            (_step, _window) = (2 * attack.Eps, _schedule.First);
        }

        public bool Fooled => _adversarial is not null;

        public void Begin(Query at)
        {
            (_gradient, _bestGradient, _bestLoss, _bestAtCheckpoint) = (at.Gradient, at.Gradient, at.Loss, at.Loss);
            _bestSucceeds = _subject.Succeeds(at.Logits);
            if (_bestSucceeds) _adversarial = _point;
            Tell(0, at.Loss);
        }

        /// <summary>A step up the gradient, combined with the previous move.</summary>
        public float[] Step(int iteration)
        {
            NormGeometry ball = _attack.Ball;
            float keep = iteration == 0 ? 1 : (float)Momentum;
            float[] v = ball.Ascend(_point, _gradient, _step);
            ball.Project(_subject.Image, v, _attack.Eps);
            for (int i = 0; i < v.Length; i++)
                v[i] = _point[i] + keep * (v[i] - _point[i]) + (1 - keep) * (_point[i] - _previous[i]);
            ball.Project(_subject.Image, v, _attack.Eps);
            (_previous, _point) = (_point, v);
            return v;
        }

        public void Arrive(int iteration, Query at)
        {
            _gradient = at.Gradient;
            _losses[iteration] = at.Loss;
            bool succeeds = _subject.Succeeds(at.Logits);
            if (succeeds) (_adversarial, _foundAt) = (_point, iteration);
            if (at.Loss > _bestLoss)
                (_best, _bestGradient, _bestLoss, _bestAt, _bestSucceeds) = (_point, at.Gradient, at.Loss, iteration, succeeds);
            Tell(iteration + 1, at.Loss);
        }

        /// <summary>At a checkpoint: halves the step and returns to the best point unless enough steps helped.</summary>
        public void Review(int iteration)
        {
            if (++_sinceCheckpoint < _window) return;
            bool stuck = Rises(iteration) <= _attack.Rho * _window;
            bool noBetter = !_justReduced && _bestAtCheckpoint >= _bestLoss;
            (_justReduced, _bestAtCheckpoint) = (stuck || noBetter, _bestLoss);
            if (_justReduced)
            {
                _step /= 2;
                (_point, _gradient) = (_best, _bestGradient); // _previous stays as it is: the next momentum starts from there
                _subject.Tell("halved", iteration, _step);
            }
            (_window, _sinceCheckpoint) = (_schedule.After(_window), 0);
        }

        public AttackResult Result()
        {
            if (_attack.BestLoss || !Fooled) return new AttackResult(_best, _bestSucceeds, _bestLoss, _bestAt);
            return new AttackResult(_adversarial!, true, _bestLoss, _foundAt);
        }

        // The start counts as 0.
        private void Tell(int iteration, double loss)
        {
            _subject.Tell("loss", iteration, loss);
            _subject.Tell("best", iteration, _bestLoss);
            _subject.Tell("step", iteration, _step);
        }

        // Before the first loss the reference reads the last entry of its history, which is still zero.
        private int Rises(int iteration)
        {
            int count = 0;
            for (int j = iteration; j > iteration - _window; j--)
                if (_losses[j] > (j > 0 ? _losses[j - 1] : _losses[^1])) count++;
            return count;
        }
    }
}
