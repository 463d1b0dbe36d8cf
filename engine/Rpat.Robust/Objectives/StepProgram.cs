namespace Rpat.Robust.Objectives;

/// <summary>A step as recorded for one batch size and one objective, with its input and output tensors.</summary>
internal sealed class StepProgram
{
    private readonly StepNets _nets;
    private readonly ActiveMethod _active;
    private readonly TargetRule? _target;
    private readonly bool _remembers;
    private readonly ScheduledTerms _schedule = new();
    private readonly Dictionary<object, FrozenViews> _frozen = [];
    private readonly float[] _rows;
    private readonly int[] _labels;
    private readonly long[] _samples;
    private readonly int[] _hits;
    private readonly int[] _allHits;
    private readonly WholeRows? _whole;
    private readonly Tape? _logging;
    private readonly Dictionary<Tensor, Tensor> _lasting = [];
    private readonly List<GivenNumbers> _given = [];
    private EvalForward? _averageGlance, _ownGlance;
    private FrozenViews[] _frozenInOrder = [];

    public StepProgram(StepNets nets, ActiveMethod active, int count, bool mixed, BatchShard? share)
    {
        Share = share;
        var objective = active.Method;
        (_nets, _active, _target, _remembers) = (nets, active, objective.Target, objective.History is not null);
        var device = Net.Device;
        TwoViews = objective.TwoViews;
        int rows = TwoViews ? 2 * count : count;
        X = Tensor.Create(device, Net.InputShape.WithBatch(rows), name: "x");
        Adversarial = Tensor.Create(device, X.Shape, name: "adversarial");
        Labels = new Labels(device, rows);
        (_rows, _labels, _samples, _hits) = (new float[rows * Net.Classes], new int[rows], new long[rows], new int[rows]);
        _allHits = share is null ? _hits : new int[share.GlobalRows(rows)];
        if (share is not null) _whole = new WholeRows(share, rows, Net.Classes);
        if (mixed || _target is not null) Targets = Tensor.Create(device, new Shape(rows, Net.Classes), name: "targets");
        if (_remembers) History = Tensor.Create(device, new Shape(rows, Net.Classes), name: "history");
        if (objective.Margins is { } search) Search = new MarginFinder(Net, search, rows, share);
        bool first = active.Proxy == ProxyPass.MovesStatistics;
        if (active.Proxy != ProxyPass.None) Proxy = Record(first ? BnMode.Train : BnMode.TrainFrozen).Tape;
        (Tape, Loss, var shown, var views) = Record(first ? BnMode.TrainFrozen : BnMode.Train);
        if (objective.Quirks.HasFlag(ReferenceQuirks.LoggedClean)) _logging = Log();
        Logits = Lasting(shown)!;
        (CleanLogits, AdversarialLogits) = (Lasting(views.Recorded(0)), Lasting(views.Attacked));
        Pass = new GraphCapture(device, Tape.Run, captures: share is null);
        if (objective.Mask is { OfTotal: false }) Prominence = [Plain(X), Plain(Adversarial)];
        Masks = objective.Mask is not null;
        _frozenInOrder = [.. _frozen.Values];
    }

    public Classifier Net => _nets.Net;

    /// <summary>This process's shard of the batch, or null if it has all of it.</summary>
    public BatchShard? Share { get; }

    /// <summary>Whether each image has two rows.</summary>
    public bool TwoViews { get; }

    public Tensor X { get; }
    public Tensor Adversarial { get; }
    public Labels Labels { get; }

    /// <summary>Target probabilities, or null when the targets are the classes.</summary>
    public Tensor? Targets { get; }

    /// <summary>Stored probabilities of the images, or null.</summary>
    public Tensor? History { get; }

    public Tape Tape { get; }

    /// <summary>The training pass.</summary>
    public GraphCapture Pass { get; }

    public Loss Loss { get; }
    public Tensor Logits { get; }
    public Tensor? CleanLogits { get; }
    public Tensor? AdversarialLogits { get; }

    /// <summary>The same loss again, for the gradient that perturbs weights; running statistics are updated in one of the two.</summary>
    public Tape? Proxy { get; }

    /// <summary>Cross-entropies at x and x′, for the gradients that a mask compares.</summary>
    public IReadOnlyList<Tape> Prominence { get; } = [];

    /// <summary>The tapes that compute gradients of parameters.</summary>
    public IEnumerable<Tape> GradientTapes => [Tape, .. Proxy is null ? [] : new[] { Proxy }, .. Prominence];

    /// <summary>Whether only prominent gradients reach the optimizer.</summary>
    public bool Masks { get; }

    public MarginFinder? Search { get; }
    public ReadOnlySpan<long> Samples => _samples;

    /// <summary>For each image of the whole batch, how many of the attack's iterates were classified correctly.</summary>
    public ReadOnlyMemory<int> Hits => _allHits;

    /// <summary>The margins of the whole batch.</summary>
    public Margins Margins => Search?.WholeBatch ?? throw new InvalidOperationException("The method searches for no margins.");

    /// <summary>The step that the batch is for.</summary>
    public StepContext Moment { get; private set; }

    /// <summary>Seed of the run's random numbers.</summary>
    public ulong Seed => _nets.Seed;

    /// <summary>The trained network itself, before the step.</summary>
    public FrozenViews Own => Frozen("itself", Net, BnMode.Eval);

    /// <summary>Numbers that a rule computes before the step's pass, one per row.</summary>
    public Tensor Given(int rows, GivenRule rule, Tensor[] logits)
    {
        _given.Add(new GivenNumbers(this, rows, rule, logits));
        return _given[^1].Numbers;
    }

    public FrozenViews Averaged(BnMode bn) => Frozen(("average", bn), _nets.Averaged, bn);

    public FrozenViews Teacher(string name) => Frozen(name, _nets.Companions.Teacher(name), BnMode.Eval);

    /// <summary>Takes over a batch.</summary>
    public void Load(in TrainingBatch batch, in StepContext moment)
    {
        int n = batch.Labels.Length;
        Moment = moment;
        for (int i = 0; i < _labels.Length; i++)
        {
            _labels[i] = batch.Labels[i % n];
            _samples[i] = batch.Samples[i % n] + (i < n ? 0 : 1L << 31); // a second view has different random numbers
        }
        if (batch.Upload is { } place) place(X);
        else X.Upload(batch.Images);
        Labels.Upload(_labels);
        if (batch.IsMixed) Mix(batch);
        if (_target is not null) Rectify(_target, moment);
        if (_remembers) Remember(_nets.History!, moment);
        _schedule.Enter(moment);
    }

    /// <summary>Takes over the attack's counts.</summary>
    public void Count(ReadOnlySpan<int> hits)
    {
        hits.CopyTo(_hits);
        Share?.Gather<int>(_hits, 1, _allHits);
    }

    /// <summary>Logits of the whole batch; if processes share it, all must call this.</summary>
    public float[] Whole(Tensor logits)
    {
        float[] mine = logits.ToArray();
        if (Share is null) return mine;
        float[] all = new float[Share.GlobalRows(logits.Shape.N) * logits.Shape.C];
        Share.Gather<float>(mine, logits.Shape.C, all);
        return all;
    }

    /// <summary>The classes of all rows of the batch; if processes share it, all must call this.</summary>
    public int[] WholeLabels()
    {
        if (Share is null) return _labels;
        int[] all = new int[Share.GlobalRows(_labels.Length)];
        Share.Gather<int>(_labels, 1, all);
        return all;
    }

    /// <summary>Runs the networks that are not trained, and what the host computes from their logits.</summary>
    public void RunFrozen()
    {
        foreach (var views in _frozenInOrder) views.Run();
        foreach (var numbers in _given) numbers.Run();
    }

    /// <summary>Runs the method's logging forward on x, if any, which only updates running statistics; loss and logits remain.</summary>
    public void RunLogging()
    {
        if (_logging is null)
        {
            if (Share is not null) Loss.Hold();
            return;
        }
        foreach (var (from, to) in _lasting) Net.Device.Copy(from.Data, to.Data);
        Loss.Hold();
        _logging.Forward();
    }

    // The logging forward overwrites the results of the step's tape: if there is one, logits are read from a copy.
    private Tensor? Lasting(Tensor? logits)
    {
        if (_logging is null || logits is null) return logits;
        if (!_lasting.TryGetValue(logits, out var copy)) _lasting[logits] = copy = Tensor.Create(Net.Device, logits.Shape, name: "logits");
        return copy;
    }

    private (Tape Tape, Loss Loss, Tensor Shown, ViewLogits Views) Record(BnMode bn)
    {
        var tape = new Tape(Net.Device, Gradients.Parameters) { Shard = Share };
        var views = new ViewLogits(this, _active, tape, bn, _schedule);
        var loss = _active.Record(views);
        return (tape, loss, views.Shown, views);
    }

    private Tape Plain(Tensor x)
    {
        var tape = new Tape(Net.Device, Gradients.Parameters) { Shard = Share };
        tape.CrossEntropy(Net.Forward(tape, x, BnMode.TrainFrozen), Labels);
        return tape;
    }

    private Tape Log()
    {
        var tape = new Tape(Net.Device) { Shard = Share };
        Net.Forward(tape, X, BnMode.Train);
        return tape;
    }

    private FrozenViews Frozen(object key, Classifier net, BnMode bn)
    {
        if (!_frozen.TryGetValue(key, out var views)) _frozen[key] = views = new FrozenViews(net, X, Adversarial, bn, Share);
        return views;
    }

    private void Mix(in TrainingBatch batch)
    {
        int k = Net.Classes, n = batch.Labels.Length;
        Array.Clear(_rows);
        for (int i = 0; i < _labels.Length; i++)
        {
            _rows[i * k + batch.Labels[i % n]] += batch.MixWeights[i % n];
            _rows[i * k + batch.OtherLabels[i % n]] += 1 - batch.MixWeights[i % n];
        }
        Targets!.Upload(_rows);
    }

    private void Rectify(TargetRule rule, in StepContext moment)
    {
        var glance = (_averageGlance ??= new EvalForward(_nets.Averaged, X)).Logits();
        _rows.AsSpan().Fill(float.NaN);
        rule.Fill(glance, _labels, moment, _rows);
        if (RowRule.IsFinite(glance)) RowRule.Require(rule.GetType(), "the targets", _rows, least: 0);
        Targets!.Upload(_rows);
    }

    private void Remember(HistoryTable table, in StepContext moment)
    {
        var logits = table.Looks ? (_ownGlance ??= new EvalForward(Net, X)).Logits() : default;
        if (_whole is null) table.Fill(logits, _labels, Samples, moment, _rows);
        else _whole.Fill(table, logits, _labels, Samples, moment, _rows);
        History!.Upload(_rows);
    }

    /// <summary>Every process stores all images of the batch, since it may have any of them in another epoch.</summary>
    private sealed class WholeRows(BatchShard share, int rows, int classes)
    {
        private readonly long[] _samples = new long[share.GlobalRows(rows)];
        private readonly int[] _labels = new int[share.GlobalRows(rows)];
        private readonly float[] _logits = new float[share.GlobalRows(rows) * classes];
        private readonly float[] _history = new float[share.GlobalRows(rows) * classes];

        public void Fill(HistoryTable table, ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, ReadOnlySpan<long> samples,
            in StepContext moment, Span<float> history)
        {
            if (table.Looks) share.Gather(logits, classes, _logits);
            share.Gather(labels, 1, _labels);
            share.Gather(samples, 1, _samples);
            table.Fill(_logits, _labels, _samples, moment, _history);
            share.Take<float>(_history, classes, history);
        }
    }
}

/// <summary>The networks and tables of a run, shared by all recorded steps.</summary>
/// <param name="Average">The averaged network, if the method has one.</param>
/// <param name="History">Stored probabilities of images, if the method uses them.</param>
/// <param name="Margins">Margins of images, if the method searches for them.</param>
/// <param name="Seed">Seed of the run's random numbers.</param>
internal sealed record StepNets(Classifier Net, AuxiliaryModels Companions, Classifier? Average, HistoryTable? History,
    MarginTable? Margins, ulong Seed)
{
    public Classifier Averaged =>
        Average ?? throw new InvalidOperationException("The method looks at an averaged network but no modifier keeps one.");

    public static StepNets For(Classifier net, Objective objective, AuxiliaryModels companions, Classifier? average, ulong seed) =>
        new(net, companions, average,
        objective.History?.Table(net.Classes),
        objective.Margins is null ? null : new MarginTable(), seed);
}
