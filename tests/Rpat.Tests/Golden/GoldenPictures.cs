using Rpat.Tests.Support;

namespace Rpat.Tests.Golden;

/// <summary>The files of golden_pictures.npz; make_pictures.py says what they are.</summary>
internal static class GoldenPictures
{
    private static readonly Lazy<IReadOnlyDictionary<string, NamedArray>> _arrays =
        new(() => Npz.Read(Repository.File("tests", "Rpat.Tests", "Golden", "golden_pictures.npz")));

    /// <summary>Names beneath <c>file</c>, <c>refused</c> or <c>cifar</c>.</summary>
    public static IEnumerable<string> Names(string folder) =>
        _arrays.Value.Keys.Where(name => name.StartsWith(folder + "/", StringComparison.Ordinal))
            .Select(name => name[(folder.Length + 1)..]);

    public static byte[] Bytes(string folder, string name) => _arrays.Value[$"{folder}/{name}"].Data.ToArray();

    /// <summary>[height, width, RGB].</summary>
    public static (long[] Shape, byte[] Pixels) Rgb(string name) => (_arrays.Value["rgb/" + name].Shape, Bytes("rgb", name));
}
