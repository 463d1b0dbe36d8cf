using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Cli;

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
    [InlineData(".")]
    [InlineData("new/")]
    public void AFolderIsNotTheNameOfAFile(string name)
    {
        string message = Assert.Throws<IOException>(() => AtomicFile.WriteText(_folder.File(name), "x")).Message;
        Assert.Contains("is a folder: give the name of a file in it", message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    /// <summary>Two threads, or two containers in which both processes have the number 1.</summary>
    [Fact]
    public void TwoWritersOfOneProcessNumberLeaveAWholeFile()
    {
        string path = _folder.File("a.txt");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("fir"u8);
            stream.Flush();
            AtomicFile.WriteText(path, "second");
            Assert.Equal("second", File.ReadAllText(path));
            Assert.Equal(("a.txt", Environment.ProcessId),
                Assert.Single(AtomicFile.HalfWritten(_folder.Root).Select(half => (half.Name, half.Process))));
            stream.Write("st"u8);
        });
        Assert.Equal("first", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void ALinkIsFollowed()
    {
        string file = _folder.File("real"), link = _folder.File("link");
        File.CreateSymbolicLink(link, "real");
        AtomicFile.WriteText(link, "made");
        AtomicFile.WriteText(link, "new");
        Assert.Equal(("new", "real"), (File.ReadAllText(file), new FileInfo(link).LinkTarget));
        File.CreateSymbolicLink(link + "2", "link2");
        Assert.Throws<IOException>(() => AtomicFile.WriteText(link + "2", ""));
        Assert.Equal([link, link + "2", file], Directory.GetFileSystemEntries(_folder.Root).Order(StringComparer.Ordinal));
    }

    [FactWith(Need.Linux)]
    public void APipeIsWrittenInPlace()
    {
        string pipe = _folder.File("pipe"), over = _folder.File("over");
        Assert.Equal(0, HostileInputTests.MakeFifo(pipe, 0b110_000_000));
        File.CreateSymbolicLink(over, pipe);
        foreach (string path in (string[])[pipe, over])
        {
            // Opened for both, a pipe waits for nobody.
            using var reader = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            AtomicFile.WriteText(path, "a line\n");
            byte[] read = new byte[7];
            reader.ReadExactly(read);
            Assert.Equal("a line\n"u8.ToArray(), read);
            Assert.False(RegularFile.Exists(pipe));
        }
        Assert.Equal(pipe, new FileInfo(over).LinkTarget);
        Assert.Equal([over, pipe], Directory.GetFileSystemEntries(_folder.Root).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsNamedWithItsCause()
    {
        File.CreateSymbolicLink(_folder.File("dangling"), "nowhere");
        string Message(string path) => Assert.Throws<IOException>(() => AtomicFile.MakeFolder(_folder.File(path))).Message;
        Assert.EndsWith("dangling' is a link to no folder: choose another folder.", Message("dangling"), StringComparison.Ordinal);
        Assert.Matches("^folder '.*dangling/e' cannot be made \\(.*\\): choose another folder.$", Message("dangling/e"));
    }

    [Theory]
    [InlineData(".rpat-run")]
    [InlineData("run.json", "config.yaml")]
    public void Nothing_is_written_over_a_link_out_of_a_run(params string[] marks)
    {
        string run = _folder.File("run"), outside = Directory.CreateDirectory(_folder.File("outside")).FullName,
            link = Path.Combine(run, "eval");
        Directory.CreateDirectory(run);
        Directory.CreateSymbolicLink(link, outside);
        AtomicFile.WriteText(Path.Combine(link, "before"), ""); // no run yet
        foreach (string mark in marks) File.WriteAllText(Path.Combine(run, mark), "");
        Directory.CreateSymbolicLink(_folder.File("latest"), run);
        foreach (string path in (string[])[Path.Combine(link, "a"), Path.Combine(link, "b", "..", "c"),
            Path.Combine(_folder.File("latest"), "eval", "d")])
        {
            Assert.Contains("is a link out of the run", Assert.Throws<IOException>(() => AtomicFile.WriteText(path, "")).Message);
            Assert.Throws<IOException>(() => AtomicFile.MakeFolder(path));
            Assert.Throws<IOException>(() => AtomicFile.OpenToGrow(path, FileShare.None));
        }

        AtomicFile.WriteText(Path.Combine(_folder.File("latest"), "e"), ""); // a run may itself be reached over a link
        Assert.Equal(["before"], Directory.GetFileSystemEntries(outside).Select(Path.GetFileName));
    }

    [Fact]
    public void MissingFolderIsNamedInOneSentence()
    {
        string path = _folder.File("nowhere/a.bin");
        IOException error = Assert.Throws<IOException>(() => AtomicFile.Write(path, _ => { }));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("check that its folder exists", error.Message, StringComparison.Ordinal);
    }

    [FactWith(Need.Linux)]
    public void A_place_that_takes_no_file_is_refused_before_the_work()
    {
        foreach (string path in (string[])[_folder.File("nowhere/a.bin"), "/proc/a.bin"])
            Assert.Equal($"'{path}' cannot be written: check that its folder exists and is writable.",
                Assert.Throws<IOException>(() => AtomicFile.RequirePlace(path)).Message);
        File.WriteAllText(_folder.File("kept"), "before");
        foreach (string name in (string[])["kept", "new"]) AtomicFile.RequirePlace(_folder.File(name));
        AtomicFile.RequirePlace("/dev/null");
        Assert.Equal("before", File.ReadAllText(_folder.File("kept")));
        Assert.Equal([_folder.File("kept")], Directory.GetFiles(Path.GetDirectoryName(_folder.File("kept"))!));
    }
}
