using Rpat.Tests.Support;

namespace Rpat.Tests.Golden;

/// <summary>One of the golden files of this folder (README.md), and the networks whose parameters follow from the formula.</summary>
internal sealed class GoldenArrays(string file)
{
    private readonly Lazy<IReadOnlyDictionary<string, NamedArray>> _arrays =
        new(() => Npz.Read(Repository.File("tests", "Rpat.Tests", "Golden", file)));

    public static GoldenArrays Step { get; } = new("golden_step.npz");

    public static GoldenArrays Eval { get; } = new("golden_eval.npz");

    public static GoldenArrays Losses { get; } = new("golden_losses.npz");

    /// <summary>Names that begin with a prefix, without it.</summary>
    public IEnumerable<string> NamesIn(string prefix) =>
        _arrays.Value.Keys.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Select(n => n[prefix.Length..]);

    public bool Has(string name) => _arrays.Value.ContainsKey(name);

    public float[] Floats(string name) => _arrays.Value[name].ToFloats();

    public int[] Integers(string name) => Array.ConvertAll(_arrays.Value[name].ToInt64(), v => (int)v);

    public byte[] Bytes(string name) => _arrays.Value[name].Data.ToArray();

    public bool[] Flags(string name) => Array.ConvertAll(_arrays.Value[name].Data.ToArray(), v => v != 0);

    public double Number(string name) => Doubles(name)[0];

    /// <summary>Values of an F32 or F64 array, widened.</summary>
    public double[] Doubles(string name) => _arrays.Value[name] is { Type: ElementType.F64 } wide
        ? MemoryMarshal.Cast<byte, double>(wide.Data.Span).ToArray()
        : Array.ConvertAll(Floats(name), v => (double)v);

    public (int N, int C, int H, int W) Shape(string name)
    {
        long[] s = _arrays.Value[name].Shape;
        return ((int)s[0], (int)s[1], s.Length > 2 ? (int)s[2] : 1, s.Length > 3 ? (int)s[3] : 1);
    }

    /// <summary>Gives a network the parameters and statistics of the golden network with that label.</summary>
    public static void Fill(Module net, string label)
    {
        int linearInputs = net.Parameters.Parameters.First(p => p.Name == "linear.weight").Dimensions[1];
        net.Load(net.State().ToDictionary(a => a.Name, a => a.Type == ElementType.I64 ? a : Filled(a, label, linearInputs)));
    }

    private static NamedArray Filled(NamedArray a, string label, int linearInputs) => NamedArray.FromFloats(
        a.Name, GoldenFill.Values(label, a.Name, Array.ConvertAll(a.Shape, v => (int)v), linearInputs), a.Shape);
}
