namespace Rpat.Tests.IO;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReplacesTheOldFileAndLeavesNothingElse()
    {
        string path = _folder.Write("a.txt", [1, 2, 3]);
        AtomicFile.WriteText(path, "zwölf\n");
        Assert.Equal("zwölf\n"u8.ToArray(), File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void FailureKeepsTheOldFileAndRemovesTheTemporaryOne()
    {
        string path = _folder.Write("a.bin", [1, 2, 3]);
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(9);
            throw new InvalidOperationException("stop");
        }));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Root));
    }

    [Theory]
    [InlineData("./")]
    [InlineData("new/")]
    public void AFolderIsNotTheNameOfAFile(string name)
    {
        string message = Assert.Throws<IOException>(() => AtomicFile.WriteText(_folder.File(name), "x")).Message;
        Assert.Contains("is a folder: give the name of a file in it", message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void MissingFolderIsNamedInOneSentence()
    {
        string path = _folder.File("nowhere/a.bin");
        IOException error = Assert.Throws<IOException>(() => AtomicFile.Write(path, _ => { }));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("check that its folder exists", error.Message, StringComparison.Ordinal);
    }
}
