namespace Rpat.Tests.IO;

/// <summary>A folder of its own for one test, removed afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    internal string Root { get; } = Directory.CreateTempSubdirectory("rpat-test-").FullName;

    internal string File(string name) => Path.Combine(Root, name);

    internal string Write(string name, byte[] content)
    {
        System.IO.File.Delete(File(name)); // file systems flush a file that is overwritten
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>The first k/16 of a file, for every k from 0 to 15, and all but its last byte.</summary>
    internal static IEnumerable<byte[]> Cut(byte[] whole) =>
        Enumerable.Range(0, 16).Select(k => whole[..(whole.Length * k / 16)]).Append(whole[..^1]);
}
