namespace Rpat.Nn.Ops;

/// <summary>
/// Where a network's dropouts take their random numbers from. They depend on the seed, the step, the row of the whole batch and the
/// dropout's number in the network: not on threads, on how processes share the batch, or on whether training was resumed.
/// </summary>
public sealed class DropoutSource
{
    private readonly Func<long> _moves;
    private long? _step;

    /// <summary>A source at step 0, until it is given another.</summary>
    public DropoutSource() : this(() => 0)
    {
    }

    internal DropoutSource(Func<long> moves) => _moves = moves;

    /// <summary>Seed of the numbers.</summary>
    public ulong Seed { get; set; }

    /// <summary>The step of training, from 0: as many as the network's weights have changed, unless whoever trains sets it.</summary>
    public long Step { get => _step ?? _moves(); set => _step = value; }
}

/// <summary>Recording of dropout.</summary>
public static class DropoutOp
{
    /// <summary>x with each value dropped with a probability of rate, and the others divided by 1 − rate; x itself in eval mode.</summary>
    /// <param name="index">The dropout's number in its network: each draws numbers of its own.</param>
    /// <exception cref="ShapeException">The rate is not in [0, 1).</exception>
    public static Tensor Dropout(this Tape tape, Tensor x, double rate, DropoutSource source, int index, BnMode mode)
    {
        rate = Checked(rate);
        return mode == BnMode.Eval || rate == 0 ? Bound.Given(x) : tape.Record(new DropoutNode(tape, x, rate, source, index)).Output;
    }

    internal static double Checked(double rate) => rate is >= 0 and < 1 ? rate
        : throw new ShapeException("Dropout", $"rate {rate} is not in [0, 1)");
}

internal sealed class DropoutNode : Node
{
    private const int EpochBits = 20;

    private readonly Edge _x;
    private readonly double _rate;
    private readonly Masked _kept;
    private readonly DropoutSource _source;
    private readonly int _index;
    private readonly BatchShard? _shard;
    private readonly DeviceBuffer _mask;
    private readonly float[] _values, _row;
    private readonly Device _device;

    public DropoutNode(Tape tape, Tensor x, double rate, DropoutSource source, int index)
    {
        (_x, _rate, _source, _index, _shard, _device) = (tape.AddStoredInput(x), rate, source, index, tape.Shard, tape.Device);
        _kept = new((float)(1 / (1 - rate)));
        Output = tape.NewTensor(x.Shape, x.Layout, "dropout");
        (Inputs, Outputs) = ([_x], [Output]);
        _mask = tape.Allocate(_device.StorageLength(x.Shape, x.Layout));
        (_values, _row) = (new float[x.Shape.Count], new float[x.Shape.SampleCount]);
    }

    public Tensor Output { get; }
    public override string Op => "Dropout";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    private BinaryShape Shape => new(Output.Shape, Output.Layout);

    public override void HostPrologue()
    {
        for (int row = 0; row < Output.Shape.N; row++) Draw(row);
        if (Output.Layout == Layout.Plain) _device.Upload(_values, _mask);
        else _device.UploadBlocked(_values, Output.Shape, _mask);
    }

    public override void Forward(IKernels k) => k.Binary(_kept, Shape, _x.Data, _mask, Output.Data);

    public override void Backward(IKernels k) =>
        k.BinaryGradient(_kept, Shape, Output.Grad, _mask, Output.Grad, byB: false, _x.Accumulate, _x.Grad);

    private void Draw(int row)
    {
        var (epoch, iteration) = ((int)(_source.Step & ((1 << EpochBits) - 1)), (int)(_source.Step >> EpochBits));
        new RandomKey(_source.Seed, Purpose.Dropout, epoch, Global(row), _index, iteration).Stream().FillUniform(_row);
        int first = row * _row.Length;
        for (int i = 0; i < _row.Length; i++) _values[first + i] = _row[i] < _rate ? 0 : 1;
    }

    /// <summary>The row of the whole batch; views of the images follow each other.</summary>
    private long Global(int row) => _shard is null ? row
        : (long)(row / _shard.LocalRows) * _shard.Total + _shard.First + row % _shard.LocalRows;
}

/// <summary>a·b·scale, of which b is 0 or 1: a mask that is stored in 16 bits would round the scale.</summary>
internal readonly struct Masked(double scale) : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T a, T b) where T : struct, IReal<T> => a * b * scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByA<T>(T a, T b) where T : struct, IReal<T> => b * scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByB<T>(T a, T b) where T : struct, IReal<T> => a * scale;
}
