using Rpat.Robust.Settings;

namespace Rpat.Robust.Training;

/// <summary>
/// One training step of any method: targets → attack → frozen networks → [weight perturbation] → forward of each view → loss →
/// backward → [gradient mask] → optimizer → averaged network. Recorded once per batch size and replayed. The processes of a group each
/// compute a shard of the batch and add their gradients: all have the same weights after each
/// step, those of a single process up to rounding.
/// </summary>
public sealed class TrainingStep : ITrainingState
{
    private readonly Objective _objective;
    private readonly Optimizer _optimizer;
    private readonly ulong _seed;
    private readonly StepNets _nets;
    private readonly (Modifier Modifier, StepHook Hook)[] _hooks;
    private readonly Action _proxy;
    private readonly GradientMasker? _masker;
    private readonly Dictionary<PgdOptions, Pgd> _attacks = [];
    private readonly Dictionary<ProgramKey, StepProgram> _programs = [];
    private readonly IProcessGroup? _team;
    private readonly GradientSum? _gradients;
    private readonly Dictionary<int, BatchPart> _parts = [];
    private BatchPart? _part;
    private (int Epoch, ActiveMethod Active) _current;
    private StepHook[] _acting = [];
    private string _frozen = "";
    private Pgd? _attack;
    private StepProgram? _last;
    private const string Count = "counter.step";

    private long _steps; // of those whose number the caller does not give

    /// <summary>Prepares training.</summary>
    /// <param name="optimizer">The optimizer of the network's parameters.</param>
    /// <param name="seed">Seed of the attack's random starts.</param>
    /// <param name="companions">Auxiliary models, if the method needs some.</param>
    /// <param name="team">The process group that shares each batch; all must do the same steps. Null for this process alone.</param>
    /// <exception cref="ContractException">The method contradicts itself.</exception>
    /// <exception cref="ArgumentException">A setting of the method is out of its bounds, the method needs an auxiliary model that is
    /// missing, two modifiers move the weights before a pass, or the optimizer moves the parameters of another network.</exception>
    public TrainingStep(Classifier net, Objective objective, Optimizer optimizer, ulong seed, AuxiliaryModels? companions = null,
        IProcessGroup? team = null)
    {
        ArgumentNullException.ThrowIfNull(net);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(optimizer);
        foreach (object part in objective.AllModifiers.Prepend<object>(objective)) Setting.Require(objective.Name, part);
        if (objective.AllModifiers.Count(modifier => modifier.Proxy != ProxyPass.None) > 1)
            throw new ArgumentException($"Two modifiers of {objective.Name} move the weights before the same pass: take one away.");
        if (optimizer.Parameters != net.Parameters)
            throw new ArgumentException("The optimizer moves the parameters of another network: make it with net.Parameters.");
        if (objective.TwoViews && (objective.History is ImageHistory || objective.Margins is not null))
            throw new ContractException(objective.GetType(), "takes two views of each image, and keeps one value for each: choose one.");
        if (team is { Size: > 1 }) (_team, _gradients) = (team, new GradientSum(net.Parameters, team));
        (_objective, _optimizer, _seed, _proxy) = (objective, optimizer, seed, RunProxy);
        net.Dropout.Seed = seed;
        companions ??= new AuxiliaryModels();
        foreach (string teacher in objective.AllTeachers) companions.Teacher(teacher);
        var run = new ModifiedRun(net, objective.Name, companions, seed);
        _hooks = [.. objective.AllModifiers.Select(m => (m, m.Begin(run)!)).Where(h => h.Item2 is not null)];
        _nets = StepNets.For(net, objective, companions, _hooks.Select(h => h.Hook.Average).FirstOrDefault(net => net is not null), seed);
        // What others write is saved after an epoch, which would be lost.
        if (_hooks.Any(h => h.Hook.GetType().Assembly != typeof(TrainingStep).Assembly)) _ = State().Count();
        if (objective.Mask is { } mask) _masker = new GradientMasker(net, mask);
        Enter(1);
    }

    /// <summary>The loss of the last step.</summary>
    /// <exception cref="InvalidOperationException">No step has run.</exception>
    public Loss Loss => Last.Loss;

    /// <summary>Logits <c>[N, K]</c> that the last step trained on: of x′, or of x when the method does not attack.</summary>
    public Tensor Logits => Last.Logits;

    /// <summary>Logits <c>[N, K]</c> of x if the last step's loss used them, else null.</summary>
    public Tensor? CleanLogits => Last.CleanLogits;

    /// <summary>Logits <c>[N, K]</c> of x′ if the last step's loss used them, else null.</summary>
    public Tensor? AdversarialLogits => Last.AdversarialLogits;

    /// <summary>Whether x′ depends on the network; noise does not.</summary>
    public bool IsAttacked => Last.Search is not null || _attack is { Options.Steps: > 0 };

    /// <summary>True classes of the batch's logits, twice as many as images if the method uses two views.</summary>
    public ReadOnlySpan<int> LogitLabels => _part is null ? Last.Labels.OnHost : _part.AllLabels;

    /// <summary>The tapes of the last step, for profiles: the attack's, if there is one, and the training pass.</summary>
    public IReadOnlyList<Tape> Tapes => _attack is null ? [Last.Tape] : [_attack.Tape(Last.X.Shape.N), Last.Tape];

    /// <summary>The network that is the result of the run so far: the averaged one if the method reports it.</summary>
    public Classifier Reported => _hooks.Select(h => h.Hook.Result).LastOrDefault(net => net is not null) ?? _nets.Net;

    /// <summary>Whether a batch has two views of each image.</summary>
    public bool TwoViews => _objective.TwoViews;

    /// <summary>The averaged network, or null.</summary>
    public Classifier? Averaged => _nets.Average;

    private StepProgram Last => _last ?? throw new InvalidOperationException("No training step has run yet.");

    /// <summary>
    /// Logits of the last step for the whole batch; if processes share it, <see cref="Logits"/> and the similar properties have only this
    /// process's shard, and all processes must call this.
    /// </summary>
    /// <param name="logits">One of <see cref="Logits"/>, <see cref="CleanLogits"/> and <see cref="AdversarialLogits"/>.</param>
    /// <returns>Rows <c>[N, K]</c>, in the order of <see cref="LogitLabels"/>.</returns>
    public float[] WholeBatch(Tensor logits) => Last.Whole(logits);

    /// <summary>Which images of a batch of that size this process computes: the first, and how many.</summary>
    public (int First, int Count) PartOf(int batch)
    {
        if (_team is null) return (0, batch);
        var share = Part(batch).Share;
        return (share.Count == 0 ? 0 : share.First, share.LocalRows);
    }

    /// <summary>
    /// Trains on one batch of a run whose length is not known: what changes from its beginning to its end stays as at the beginning, and
    /// what follows the learning rate sees no drop of it. For that, and for the last batch of an accumulation, use the other overload.
    /// </summary>
    /// <param name="images">Images <c>[N, C, H, W]</c> in [0,1], N given by the labels; with <see cref="TwoViews"/> <c>[2N, C, H, W]</c>,
    /// first one view of each image, then the other.</param>
    /// <param name="samples">Index of each image in the training set: its random numbers depend on it.</param>
    /// <param name="epoch">Epoch, counted from 1.</param>
    /// <param name="rate">Learning rate of the step.</param>
    /// <param name="start">Starting point of the attack instead of a random one, or null.</param>
    /// <exception cref="ShapeException">The sizes of the batch's parts do not match.</exception>
    /// <exception cref="ArgumentException">An image is not in [0,1], or a label is no class.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is below 1, or the rate is negative or no number.</exception>
    public void Run(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, ReadOnlySpan<long> samples, int epoch, float rate,
        Tensor? start = null)
    {
        Run(new TrainingBatch { Images = images, Labels = labels, Samples = samples },
            new StepContext(epoch, _steps, Rate: rate, TopRate: rate), start);
        _steps++;
    }

    /// <summary>Trains on one batch at a given step of a run.</summary>
    /// <param name="batch">
    /// Images, classes, and what was mixed in: the whole batch even if processes share it, except that <see cref="TrainingBatch.Upload"/>
    /// makes only the images of <see cref="PartOf"/>.
    /// </param>
    /// <param name="start">Starting point of the attack instead of a random one, or null.</param>
    /// <exception cref="ShapeException">The sizes of the batch's parts do not match.</exception>
    /// <exception cref="ArgumentException">An image is not in [0,1], or a label is no class.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is below 1, or the rate is negative or no number.</exception>
    public void Run(in TrainingBatch batch, in StepContext moment, Tensor? start = null)
    {
        if (moment.Epoch < 1) throw new ArgumentOutOfRangeException(nameof(moment), moment.Epoch, "Epochs are counted from 1.");
        if (!(moment.Rate >= 0 && float.IsFinite(moment.Rate)))
            throw new ArgumentOutOfRangeException(nameof(moment), moment.Rate, "A learning rate is a finite number from 0.");
        Enter(moment.Epoch);
        Check(batch);
        _nets.Net.Dropout.Step = moment.Step;
        var program = _last = Load(batch, moment);
        if (_nets.History is { Learns: true } && program.History is not null && CleanLogits is null)
            throw new ContractException(_objective.GetType(), "remembers logits of clean images, and its loss does not use them (v.Clean).");
        Attack(program, moment, start);
        program.RunFrozen();
        bool moved = Descend(program, moment);
        if (_nets.History is { Learns: true } table && program.History is not null)
            table.Learn(program.Whole(CleanLogits!), LogitLabels);
        TrainingMetrics.Steps.Add(1);
        TrainingMetrics.Images.Add(batch.Labels.Length);
        if (!moved) return;
        var step = new ModifiedStep(moment, _proxy);
        foreach (var hook in _acting) hook.AfterMove(step);
    }

    /// <summary>Ends an epoch: updates averages that are updated once per epoch.</summary>
    /// <param name="epoch">The epoch, counted from 1.</param>
    /// <returns>
    /// What must see all clean augmented training images before the averaged network is used, or null: call
    /// <see cref="BatchStatistics.Add"/> for each batch, then <see cref="BatchStatistics.Finish"/>.
    /// </returns>
    public BatchStatistics? EndEpoch(int epoch) =>
        _hooks.Select(h => h.Hook.AfterEpoch(epoch)).ToArray().LastOrDefault(statistics => statistics is not null);

    /// <inheritdoc/>
    /// <exception cref="ContractException">A hook returns no arrays, or two of a name.</exception>
    public IEnumerable<NamedArray> State()
    {
        NamedArray[] own = [.. _optimizer.State(), .. _steps == 0 ? Array.Empty<NamedArray>() : [NamedArray.FromInt64(Count, [_steps])]];
        return [.. own, .. Parts().SelectMany(Distinct([.. own.Select(array => array.Name)]))];
    }

    /// <inheritdoc/>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        _optimizer.LoadState(state);
        foreach (var part in Parts()) part.LoadState(state);
        _steps = state.TryGetValue(Count, out var count) ? count.ToInt64()[0] : 0;
    }

    private static Func<ITrainingState, IEnumerable<NamedArray>> Distinct(HashSet<string> names) => part =>
        (part.State() ?? throw new ContractException(part.GetType(), "returns nothing from State: return an empty list.")).Select(array =>
            array is not { Name.Length: > 0 } ? throw new ContractException(part.GetType(),
                $"returns {(array is null ? "null among its arrays" : "an array without a name")} from State: name each.")
            : names.Add(array.Name) ? array : throw new ContractException(part.GetType(),
                $"returns an array '{array.Name}' from State, and there is one already: begin names with a word of its own."));

    private IEnumerable<ITrainingState> Parts() =>
        [.. _hooks.Select(h => h.Hook), .. new ITrainingState?[] { _nets.History, _nets.Margins }.OfType<ITrainingState>()];

    private void Enter(int epoch)
    {
        if (_current.Epoch != epoch) Change(epoch);
    }

    private void Change(int epoch)
    {
        var active = _objective.ForEpoch(epoch);
        var (method, modifiers) = active;
        _attack = method.Attack is { } options ? For(options with { Quirks = options.Quirks | method.Quirks }) : null; // first: it may throw
        _acting = [.. _hooks.Where(h => modifiers.Contains(h.Modifier)).Select(h => h.Hook)];
        _current = (epoch, active);
    }

    private Pgd For(PgdOptions options)
    {
        if (!_attacks.TryGetValue(options, out var attack))
            _attacks[options] = attack = new Pgd(_nets.Net, options, _nets.Companions.Teacher);
        return attack;
    }

    private void Check(in TrainingBatch batch)
    {
        int n = batch.Labels.Length, views = TwoViews ? 2 : 1;
        if (batch.Samples.Length != n)
            throw new ShapeException("TrainingStep", $"{n} labels need {n} sample indices, got {batch.Samples.Length}");
        if (batch.OtherLabels.Length != batch.MixWeights.Length || batch.IsMixed && batch.MixWeights.Length != n)
            throw new ShapeException("TrainingStep", $"{n} mixed images need {n} other labels and shares");
        if (batch.Upload is null && batch.Images.Length != (long)views * n * _nets.Net.InputShape.SampleCount)
            throw new ShapeException("TrainingStep",
                $"{n} labels want {views * n} images {_nets.Net.InputShape}, got {batch.Images.Length} values"
                    + (TwoViews ? $": {_objective.Name} takes two views of each image, all first views, then all second ones" : ""));
        PixelRange.Require(batch.Images, _nets.Net.InputShape);
        InputCheck.RequireClasses(batch.Labels, _nets.Net.Classes);
        InputCheck.RequireClasses(batch.OtherLabels, _nets.Net.Classes);
        if (batch.IsMixed && _objective.NeedsOneClass)
            throw new ShapeException("TrainingStep", $"{_objective.Name} needs one true class for each image, and these have two");
        foreach (float share in batch.MixWeights)
            if (!(share is >= 0 and <= 1)) throw new ShapeException("TrainingStep", $"a share of {share} of a class is not from 0 to 1");
        if (batch.IsMixed && _objective.Target is not null)
            throw new ShapeException("TrainingStep", $"{_objective.Name} makes its own targets, which mixed labels would replace");
    }

    private StepProgram Load(in TrainingBatch batch, in StepContext moment)
    {
        _part = _team is null ? null : Part(batch.Labels.Length);
        var mine = _part is null ? batch : _part.Of(batch);
        var program = For(mine, _part?.Share);
        program.Load(mine, moment);
        return program;
    }

    private BatchPart Part(int count)
    {
        if (!_parts.TryGetValue(count, out var part))
            _parts[count] = part = new BatchPart(new BatchShard(_team!, count), _nets.Net.InputShape.SampleCount, TwoViews ? 2 : 1);
        return part;
    }

    private StepProgram For(in TrainingBatch batch, BatchShard? share)
    {
        var key = new ProgramKey(share?.Total ?? batch.Labels.Length, batch.IsMixed, _current.Active.Method, _current.Active.Modifiers,
            Frozen());
        if (!_programs.TryGetValue(key, out var program))
        {
            _programs[key] = program = new StepProgram(_nets, _current.Active, batch.Labels.Length, key.Mixed, share);
            foreach (var tape in program.GradientTapes) _gradients?.Watch(tape, share!);
        }
        return program;
    }

    private void Attack(StepProgram program, in StepContext moment, Tensor? start)
    {
        var key = new RandomKey(_seed, Purpose.AttackStart, moment.Epoch, 0, 0, 0);
        if (program.Search is { } search)
        {
            search.Run(new PgdSubject(program.X, program.Labels), key, program.Samples, _nets.Margins!, program.Adversarial, start);
            return;
        }
        if (_attack is null) return;
        var subject = new PgdSubject(program.X, program.Labels, program.Targets, program.History, program.Share);
        var adversarial = _attack.Perturb(subject, key, program.Samples, start, moment);
        _nets.Net.Device.Copy(adversarial.Data, program.Adversarial.Data);
        if (_attack.Options.CountsCorrect) program.Count(_attack.Hits(subject));
    }

    /// <summary>Whether the weights changed: with gradients accumulated over batches only some steps change them.</summary>
    private bool Descend(StepProgram program, in StepContext moment)
    {
        var step = new ModifiedStep(moment, _proxy);
        foreach (var hook in _acting) hook.BeforePass(step);
        for (int i = 0; i < program.Prominence.Count; i++)
        {
            program.Prominence[i].Run();
            _gradients?.Finish();
            _masker!.Look(clean: i == 0);
        }
        program.Pass.Run();
        _gradients?.Finish();
        if (program.Masks) _masker!.Apply();
        foreach (var hook in _acting) hook.BeforeUpdate(step);
        bool moved = _optimizer.Step(moment.Rate, last: moment.Step + 1 == moment.TotalSteps);
        foreach (var hook in _acting) hook.AfterUpdate(step);
        program.RunLogging();
        return moved;
    }

    private void RunProxy()
    {
        var proxy = Last.Proxy ?? throw new InvalidOperationException(
            "A modifier that runs a proxy pass must ask for one: override Modifier.Proxy.");
        proxy.Run();
        _gradients?.Finish();
    }

    /// <summary>Which parameters are frozen, a letter each, for tapes that compute only the others' gradients.</summary>
    private string Frozen()
    {
        var parameters = _nets.Net.Parameters.Parameters;
        for (int i = 0; i < parameters.Count; i++)
            if (_frozen.Length != parameters.Count || parameters[i].IsFrozen != (_frozen[i] == 'f'))
                return _frozen = string.Concat(parameters.Select(p => p.IsFrozen ? 'f' : '-'));
        return _frozen;
    }

    private readonly record struct ProgramKey(int Count, bool Mixed, Objective Method, ModifierList Modifiers, string Frozen);
}
