using Rpat.Tests.Support;

namespace Rpat.Tests.IO.PyTorch;

/// <summary>The checkpoints that PyTorch made (Golden/make_checkpoints.py), and what they must give.</summary>
internal static class Checkpoints
{
    private static readonly Lazy<IReadOnlyDictionary<string, NamedArray>> _expected = new(() => Npz.Read(PathOf("expected.npz")));

    public static string PathOf(string file) => Repository.File("tests", "Rpat.Tests", "Golden", "checkpoints", file);

    public static byte[] Bytes(string file) => File.ReadAllBytes(PathOf(file));

    /// <summary>The tensors of a file by name.</summary>
    public static Dictionary<string, NamedArray> Expected(string file) => _expected.Value
        .Where(pair => pair.Key.StartsWith(file + "/", StringComparison.Ordinal))
        .ToDictionary(pair => pair.Key[(file.Length + 1)..], pair => pair.Value);

    /// <summary>Every tensor bit by bit; what numpy has no type for (bfloat16) by value.</summary>
    public static void AssertEqual(NamedArray expected, NamedArray actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        if (actual.Type == ElementType.BF16) Assert.Equal(expected.ToFloats(), actual.ToFloats());
        else Assert.Equal(expected.Type, actual.Type);
        Assert.True(actual.Type == ElementType.BF16 || expected.Data.Span.SequenceEqual(actual.Data.Span), $"{actual.Name} differs.");
    }

    /// <summary>Opens bytes as a file and reads every tensor.</summary>
    public static void ReadAll(string path, byte[] content)
    {
        File.Delete(path); // file systems flush a file that is overwritten
        File.WriteAllBytes(path, content);
        using WeightFile file = WeightFile.Open(path);
        foreach (WeightEntry entry in file.Tensors) file.Load(entry.Name);
    }
}
