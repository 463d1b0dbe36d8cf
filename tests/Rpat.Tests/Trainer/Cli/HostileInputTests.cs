using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>Values that no command wants: each is one sentence and an exit code, and none takes longer than a moment.</summary>
public sealed partial class HostileInputTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [TheoryWith(Need.Linux)]
    [InlineData("config check EMPTY")]
    [InlineData("config check FIFO")]
    [InlineData("config check /dev/zero")]
    [InlineData("config check FOLDER")]
    [InlineData("config show -c EMPTY")]
    [InlineData("config show --set run.name=a --set EMPTY")]
    [InlineData("runs list --runs EMPTY")]
    [InlineData("runs show FIFO")]
    [InlineData("runs show /dev/zero")]
    [InlineData("runs show EMPTY")]
    [InlineData("report EMPTY")]
    [InlineData("report FOLDER -o EMPTY")]
    [InlineData("recipes show EMPTY")]
    [InlineData("recipes list --json EMPTY")]
    [InlineData("recipes list --json FOLDER")]
    [InlineData("@FIFO")]
    [InlineData("@/dev/zero")]
    [InlineData("@FOLDER")]
    [InlineData("@missing")]
    [InlineData("train --recipe fashion-quick --dataset EMPTY")]
    [InlineData("train --recipe fashion-quick --resume EMPTY")]
    [InlineData("train -c FIFO")]
    public void IsOneSentence(string line)
    {
        string fifo = _test.PathOf("fifo");
        Assert.Equal(0, MakeFifo(fifo, 0b110_000_000));
        string[] arguments = [.. line.Split(' ').Select(
            word => word.Replace("FIFO", fifo).Replace("FOLDER", _test.Folder).Replace("EMPTY", ""))];
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(2, _test.Run(arguments));
        Assert.Matches("^rpat: [^\n]+\n$", _test.Error);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("recipes\nshow @self\n")]
    [InlineData("@self")]
    public void AFileOfArgumentsThatNamesItselfEnds(string text)
    {
        string self = _test.PathOf("self");
        Assert.Equal(2, _test.Run("@" + _test.Write("self", text.Replace("@self", "@" + self))));
        Assert.Contains($"'@{self}' names another file of arguments", _test.Error);
    }

    [Fact]
    public void AFileOfArgumentsIsRead()
    {
        Assert.Equal(0, _test.Run("@" + _test.Write("arguments", "# what to show\nrecipes show\nfashion-quick\n")));
        Assert.StartsWith("# RPAT", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void AHostsNameHasALength()
    {
        using var test = new TestHost(("MASTER_ADDR", new string('a', 300)), ("MASTER_PORT", "29500"), ("RANK", "1"), ("WORLD_SIZE", "2"),
            ("LOCAL_RANK", "1"), ("LOCAL_WORLD_SIZE", "2"));
        Assert.Equal(2, test.Run("train", "--recipe", "fashion-quick"));
        Assert.Contains("MASTER_ADDR is 'aaa", test.Error);
    }

    public static TheoryData<string, string> Configurations => new()
    {
        { new string('[', 100_000), "nests deeper" },
        { string.Concat(Enumerable.Repeat("{a: ", 50_000)), "nests deeper" },
        { string.Concat(Enumerable.Range(0, 1000).Select(i => new string(' ', i) + "a:\n")), "nests deeper" },
        { "train: &a\n  epochs: *a\n", "alias" },
        { "x: &x [a, a]\ny: &y [*x, *x]\n", "alias" },
        { "train:\n  epochs: 3\0\n", "zero bytes" },
        { "? [a]\n: b\n", "no plain name" },
    };

    [Theory]
    [MemberData(nameof(Configurations))]
    public void AConfigurationThatIsNoneIsRefused(string text, string problem)
    {
        Assert.Equal(2, _test.Run("config", "check", _test.Write("a.yaml", text)));
        Assert.Contains(problem, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void BytesThatAreNoUtf8AreRefused()
    {
        File.WriteAllBytes(_test.PathOf("a.yaml"), [.. "run:\n  name: a"u8, 0xFF, 0xFE, .. "\n"u8]);
        Assert.Equal(2, _test.Run("config", "check", _test.PathOf("a.yaml")));
        Assert.Contains("is not UTF-8 text: save it as UTF-8.", _test.Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OtherEncodingsBehindTheirMarksAreRead(bool wide)
    {
        File.WriteAllText(_test.PathOf("a.yaml"), "recipe: fashion-quick\n",
            wide ? Encoding.Unicode : new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.True(_test.Run("config", "check", _test.PathOf("a.yaml")) == 0, _test.Error);
    }

    [Fact]
    public void ARunIsNotResumedOverALink()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "1", "--out", _test.PathOf("runs")]));
        string run = RunFiles.Runs(_test, "runs").Single(), outside = _test.Write("outside", "theirs"),
            metrics = Path.Combine(run, "metrics.jsonl");
        File.Delete(metrics);
        File.CreateSymbolicLink(metrics, outside);
        Assert.Equal(2, _test.Run([.. TinyRun.Arguments(_test), "--resume", run]));
        Assert.Contains($"'{metrics}' is a link out of the run", _test.Error);
        Assert.Equal("theirs", File.ReadAllText(outside));
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeFifo(string path, uint mode);
}
