namespace Rpat.Robust.Objectives;

/// <summary>Computes one number per row of a batch on the host, before the step's pass, where it is a constant.</summary>
public delegate void GivenRule(GivenBatch batch, Span<float> numbers);

/// <summary>A batch before the step's pass: all of its rows, even if processes share it.</summary>
public sealed class GivenBatch
{
    private readonly StepProgram _program;
    private readonly Tensor[] _logits;
    private readonly float[][] _rows;
    private int[] _labels = [];

    internal GivenBatch(StepProgram program, Tensor[] logits) => (_program, _logits, _rows) = (program, logits, new float[logits.Length][]);

    /// <summary>The step.</summary>
    public StepContext Moment => _program.Moment;

    /// <summary>Random numbers of the batch.</summary>
    public PhiloxStream Draws =>
        new RandomKey(_program.Seed, Purpose.Mix, Moment.Epoch, Moment.Step & uint.MaxValue, 0, Iteration: 1).Stream();

    /// <summary>Whether the logits of that number have their largest value at the row's class.</summary>
    public bool IsRight(int logits, int row)
    {
        int k = _rows[logits].Length / _labels.Length;
        return Predictions.ArgMax(_rows[logits].AsSpan(row * k, k)) == _labels[row];
    }

    internal bool IsFinite => _rows.All(rows => RowRule.IsFinite(rows));

    internal void Read()
    {
        for (int i = 0; i < _logits.Length; i++) _rows[i] = _program.Whole(_logits[i]);
        if (_logits.Length > 0) _labels = _program.WholeLabels();
    }
}

/// <summary>The numbers of one rule, on the device.</summary>
internal sealed class GivenNumbers
{
    private readonly GivenBatch _batch;
    private readonly GivenRule _rule;
    private readonly BatchShard? _share;
    private readonly float[] _all, _own;

    public GivenNumbers(StepProgram program, int rows, GivenRule rule, Tensor[] logits)
    {
        (_batch, _rule, _share) = (new GivenBatch(program, logits), rule, program.Share);
        Numbers = Tensor.Create(program.Net.Device, new Shape(rows, 1), name: "given");
        _own = new float[rows];
        _all = _share is null ? _own : new float[_share.GlobalRows(rows)];
    }

    /// <summary>One per row, <c>[rows, 1]</c>.</summary>
    public Tensor Numbers { get; }

    public void Run()
    {
        _batch.Read();
        _all.AsSpan().Fill(float.NaN);
        _rule(_batch, _all);
        if (_batch.IsFinite) RowRule.Require(RowRule.Of(_rule), "v.Given", _all, float.MinValue);
        _share?.Take<float>(_all, 1, _own);
        Numbers.Upload(_own);
    }
}
