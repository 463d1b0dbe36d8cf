using Rpat.Tests.Reference;
using Xunit.Sdk;

namespace Rpat.Tests.Ops;

/// <summary>A value in the graph: its reference with the gradient that has arrived so far, and its tensor on every lane.</summary>
internal sealed class ReferencePair(Array4 value, Tensor[] tensors)
{
    public Array4 Value { get; } = value;

    public Array4 Gradient { get; private set; } = value.Like();

    public Tensor[] Tensors { get; } = tensors;

    public void Accumulate(Array4 gradient) => Gradient = ReferenceElementwise.Add(Gradient, gradient);
}

/// <summary>A batch norm: the reference's values (running statistics move as ops are recorded), and the layer on every lane.</summary>
internal sealed record TwinNorm(NormValues Values, ReferencePair Gamma, ReferencePair Beta, BatchNorm2d[] Layers);

/// <summary>
/// Ops recorded once on tapes of several setups and in double precision; <see cref="Check"/> runs all and compares values,
/// gradients of every leaf and running statistics with the reference, and the bits of neighbouring lanes with each other.
/// </summary>
internal sealed partial class OpGraph : IDisposable
{
    private readonly Gradients _gradients;
    private readonly DeviceRun[] _lanes;
    private readonly List<(string Name, ReferencePair Twin, Gradients Kind)> _leaves = [];
    private readonly List<TwinNorm> _norms = [];
    private readonly Stack<Action> _backward = [];

    /// <summary>Opens a lane for each setup; those of one thread and of two follow each other.</summary>
    public OpGraph(Gradients gradients = Gradients.Inputs | Gradients.Parameters, IReadOnlyList<CpuSetup>? setups = null)
    {
        _gradients = gradients;
        _lanes = [.. (setups ?? CpuSetup.Most).Select(setup => new DeviceRun(setup, gradients))];
    }

    public void Dispose() => Array.ForEach(_lanes, lane => lane.Dispose());

    public ReferencePair Image(Array4 x) => Leaf("image", x, Gradients.Inputs, lane => lane.Image(x));

    public ReferencePair Activation(Array4 x) => Leaf("activation", x, Gradients.Inputs, lane => lane.Activation(x));

    public ReferencePair Filters(Array4 w) => Leaf("filters", w, Gradients.Parameters, lane => lane.Filters(w));

    public ReferencePair Bias(double[] values) => Leaf("bias", Row(values), Gradients.Parameters, lane => lane.Bias(values));

    public TwinNorm Norm(NormValues values)
    {
        BatchNorm2d[] layers = Array.ConvertAll(_lanes, lane => lane.Norm(values));
        ReferencePair gamma = Leaf("γ", Row(values.Gamma), Gradients.Parameters, lane => layers[Index(lane)].Weight);
        ReferencePair beta = Leaf("β", Row(values.Beta), Gradients.Parameters, lane => layers[Index(lane)].Bias);
        TwinNorm norm = new(values with { Mean = [.. values.Mean], Variance = [.. values.Variance] }, gamma, beta, layers);
        _norms.Add(norm);
        return norm;
    }

    /// <summary>What every kernel keeps; Winograd's transforms may cost one decimal of the squared error.</summary>
    public static Tolerance Allowed(CpuSetup setup) => new(1e-5, setup.Convolution == ConvolutionAlgorithm.Direct ? 1e-11 : 1e-10);

    /// <summary>
    /// Runs everything from a random ∂L/∂y. Results on two threads must equal those on one bit by bit.
    /// </summary>
    public void Check(ReferencePair y, Func<CpuSetup, Tolerance>? tolerance = null)
    {
        Array4 dy = Array4.Uniform(y.Value.N, y.Value.C, y.Value.H, y.Value.W, seed: 77);
        y.Accumulate(dy);
        foreach (Action step in _backward) step();
        (string Name, Array4 Values)[]? before = null;
        foreach (DeviceRun lane in _lanes)
        {
            Array4 values = lane.Run(y.Tensors[Index(lane)], dy);
            (string Name, Array4 Values)[] results = [("y", values), .. Results(lane)], expected = [("y", y.Value), .. Expected()];
            foreach (var (want, have) in expected.Zip(results))
                AssertClose(want.Values, have.Values, (tolerance ?? Allowed)(lane.Setup), $"{have.Name}, {lane.Setup}");
            if (lane.Setup.Threads == 2) AssertSameBits(before!, results, lane.Setup);
            before = results;
        }
    }

    /// <summary>Fails with the worse of both errors.</summary>
    public static void AssertClose(Array4 reference, Array4 actual, Tolerance tolerance, string what)
    {
        var (max, nmse) = tolerance.Errors(reference, actual);
        if (max <= tolerance.MaxError && nmse <= tolerance.Nmse) return;
        throw new XunitException(string.Create(CultureInfo.InvariantCulture,
            $"{what}: relative maximum error {max:E2} (allowed {tolerance.MaxError:E0}), NMSE {nmse:E2} (allowed {tolerance.Nmse:E0})."));
    }

    public static bool SameBits(Array4 a, Array4 b) =>
        a.Data.Length == b.Data.Length &&
        a.Data.Zip(b.Data).All(p => BitConverter.DoubleToInt64Bits(p.First) == BitConverter.DoubleToInt64Bits(p.Second));

    private IEnumerable<(string Name, Array4 Values)> Expected() =>
        Wanted.Select(leaf => (leaf.Name, leaf.Twin.Gradient))
            .Concat(_norms.SelectMany(n => new[] { ("running mean", Row(n.Values.Mean)), ("running variance", Row(n.Values.Variance)) }));

    private IEnumerable<(string Name, Array4 Values)> Results(DeviceRun lane) =>
        Wanted.Select(leaf => ($"gradient of {leaf.Name}", DeviceRun.Gradient(leaf.Twin.Tensors[Index(lane)])))
            .Concat(_norms.Select(n => n.Layers[Index(lane)]).SelectMany(n => new[]
            {
                ("running mean", DeviceRun.ValuesOf(n.RunningMean)), ("running variance", DeviceRun.ValuesOf(n.RunningVar)),
            }));

    private IEnumerable<(string Name, ReferencePair Twin, Gradients Kind)> Wanted => _leaves.Where(leaf => _gradients.HasFlag(leaf.Kind));

    private static void AssertSameBits((string Name, Array4 Values)[] one, (string Name, Array4 Values)[] two, CpuSetup setup)
    {
        foreach (var (a, b) in one.Zip(two))
            if (!SameBits(a.Values, b.Values)) throw new XunitException($"{a.Name}, {setup}: the bits differ from those on one thread.");
    }

    private ReferencePair Leaf(string name, Array4 value, Gradients kind, Func<DeviceRun, Tensor> make)
    {
        ReferencePair twin = new(value, Array.ConvertAll(_lanes, lane => make(lane)));
        _leaves.Add((name, twin, kind));
        return twin;
    }

    /// <summary>Records an op on all lanes, with its reference value and what the reference does with the output's gradient.</summary>
    private ReferencePair Record(Func<int, Tape, Tensor> record, Array4 value, Action<Array4> backward)
    {
        ReferencePair twin = new(value, Array.ConvertAll(_lanes, lane => record(Index(lane), lane.Tape)));
        _backward.Push(() => backward(twin.Gradient));
        return twin;
    }

    private int Index(DeviceRun lane) => Array.IndexOf(_lanes, lane);

    private static Array4 Row(double[] values) => Array4.From(1, values.Length, 1, 1, values);
}
