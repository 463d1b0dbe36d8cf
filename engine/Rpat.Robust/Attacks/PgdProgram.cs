namespace Rpat.Robust.Attacks;

/// <summary>
/// The recorded forward and backward pass of an attack on one batch size, the routine of all iterations, and its inputs and outputs.
/// </summary>
internal sealed class PgdProgram
{
    private readonly Classifier _net;
    private readonly PgdOptions _options;
    private readonly Loss _loss;
    private readonly Tensor _logits;
    private readonly Tensor? _targets;
    private readonly ScheduledTerms _schedule = new();
    private readonly float[] _losses;
    private readonly float[] _bestLosses;
    private readonly int[] _bestHits;
    private readonly float[] _term;
    private readonly float[] _rows;
    private readonly OwnedTensors _owned;
    private CleanLogits? _clean;
    private readonly GraphCapture _climb;
    private float _share = 1;
    private Tensor? _history;
    private float[] _best = []; // allocated at the second restart
    private float[] _found = [];
    private Tensor _from;

    public PgdProgram(Classifier net, Shape shape, PgdOptions options, Func<string, Classifier> teachers, bool soft, BatchShard? share,
        OwnedTensors owned)
    {
        (_net, _options, _owned, Labels) = (net, options, owned, owned.Labels(shape.N));
        Adversarial = owned.Create(shape, needsGrad: true, name: "adversarial");
        Best = _from = Adversarial;
        Tape = owned.Own(new Tape(net.Device, Gradients.Inputs) { Shard = share });
        _logits = Tape.Retain(net.Forward(Tape, Adversarial, options.Bn));
        if (soft) _targets = owned.Create(_logits.Shape, name: "targets");
        var clean = new Lazy<Tensor>(() => (_clean = new CleanLogits(net, shape, options.Bn, share, owned)).Logits);
        var history = new Lazy<Tensor>(() => _history = owned.Create(_logits.Shape, name: "history"));
        _loss = options.Loss.Record(new InnerViews(Tape, _logits, Labels, _targets, clean, history, _schedule)
        {
            Teachers = name => Tape.Retain(teachers(name).Forward(Tape, Adversarial, BnMode.Eval)),
        }) ?? throw new ContractException(options.Loss.GetType(), "returns no loss from Record: return a term, summed over the batch.");
        (_losses, _bestLosses, _term) = (new float[shape.N], new float[shape.N], new float[shape.N]);
        (Hits, _bestHits, _rows) = (new int[shape.N], new int[shape.N], new float[_logits.Shape.Count]);
        _climb = new GraphCapture(net.Device, Iterations, captures: share is null);
    }

    public Tape Tape { get; }
    public Labels Labels { get; }
    public Tensor Adversarial { get; }
    public Tensor Best { get; private set; }
    public int[] Hits { get; }

    /// <summary>The radius of the current epoch.</summary>
    public float Eps => _share * _options.Eps;

    /// <summary>Frees what the device has recorded.</summary>
    public void Forget() => _climb.Forget();

    /// <summary>Takes over a batch, and computes what the loss needs of its clean images.</summary>
    public void Load(in PgdSubject subject, in StepContext moment)
    {
        Labels.CopyFrom(subject.Labels);
        if (_targets is not null) _net.Device.Copy(subject.Targets!.Data, _targets.Data);
        if (_history is not null)
            _net.Device.Copy((subject.History ?? throw new ContractException(_options.Loss.GetType(), "uses History, and the method that "
                + "attacks with it remembers no images: give it a History.")).Data, _history.Data);
        _clean?.Run(subject.X);
        _schedule.Enter(moment);
        float share = _options.ShareAt(moment);
        if (share != _share) Forget(); // the record has the radius and the step of its epoch
        _share = share;
    }

    /// <summary>Moves the start to the end of the attack on <paramref name="x"/>.</summary>
    public void RunIterations(Tensor x)
    {
        _from = x;
        Array.Clear(Hits);
        if (_options.CountsCorrect) Iterations(); // the body, not the captured routine: it reads each iterate on the host
        else _climb.Run(x);
    }

    private void Iterations()
    {
        for (int i = 0; i < _options.Steps; i++)
        {
            Tape.Run();
            if (_options.CountsCorrect) CountHits();
            _options.Norm.Step(_from, Adversarial, _share * _options.StepSize, Eps, _options.Has(ReferenceQuirks.BallBeforeBox));
        }
    }

    /// <summary>Counts the images whose iterate is classified correctly; call after the forward pass.</summary>
    private void CountHits()
    {
        _logits.CopyTo(_rows);
        int k = _logits.Shape.C;
        for (int i = 0; i < Hits.Length; i++)
            if (Predictions.ArgMax(_rows.AsSpan(i * k, k)) == Labels.OnHost[i]) Hits[i]++;
    }

    /// <summary>Scores the finished restart and keeps each image's worst case, with its hits.</summary>
    public void KeepBest(bool first)
    {
        if (_best.Length == 0) MakeRoomForBest();
        Tape.Forward();
        Score();
        Adversarial.CopyTo(_found);
        int size = Adversarial.Shape.SampleCount;
        for (int i = 0; i < _losses.Length; i++)
        {
            if (!first && !(_losses[i] > _bestLosses[i])) continue;
            (_bestLosses[i], _bestHits[i]) = (_losses[i], Hits[i]);
            _found.AsSpan(i * size, size).CopyTo(_best.AsSpan(i * size, size));
        }
        Best.Upload(_best);
        _bestHits.CopyTo(Hits, 0);
    }

    private void Score()
    {
        Array.Clear(_losses);
        for (int t = 0; t < _loss.Terms.Count; t++)
        {
            _loss.Terms[t].Values.CopyTo(_term);
            for (int i = 0; i < _losses.Length; i++) _losses[i] += _loss.Terms[t].Weight * _term[i];
        }
    }

    private void MakeRoomForBest()
    {
        Best = _owned.Create(Adversarial.Shape, name: "best");
        (_best, _found) = (new float[Best.Shape.Count], new float[Best.Shape.Count]);
    }

    /// <summary>z(x), computed once before the attack.</summary>
    private sealed class CleanLogits
    {
        private readonly Tape _tape;
        private readonly Tensor _x;
        private readonly Tensor _made;

        public CleanLogits(Classifier net, Shape shape, BnMode bn, BatchShard? share, OwnedTensors owned)
        {
            (_tape, _x) = (owned.Own(new Tape(net.Device) { Shard = share }), owned.Create(shape, name: "x"));
            _made = _tape.Retain(net.Forward(_tape, _x, bn));
            Logits = owned.Create(_made.Shape, name: "clean logits");
        }

        public Tensor Logits { get; }

        public void Run(Tensor x)
        {
            x.Device.Copy(x.Data, _x.Data);
            _tape.Forward();
            x.Device.Copy(_made.Data, Logits.Data);
        }
    }
}
