using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;
using Rpat.Trainer.Cli;

namespace Rpat.Tests.Trainer.Output;

/// <summary>A full or closed stdout or stderr: no run depends on them, and no result that got lost counts as delivered.</summary>
public sealed class LostOutputTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("recipes show fashion-quick")]
    [InlineData("recipes list --json")]
    [InlineData("completion bash")]
    [InlineData("config schema")]
    [InlineData("--help")]
    public void AResultThatCouldNotBeWrittenIsAnError(string line)
    {
        Assert.Equal(2, App.Run(line.Split(' '), _test.Host with { Out = new FullWriter() }));
        Assert.Equal("rpat: the result cannot be written to stdout (No space left on device): make room, or send it elsewhere.\n",
            _test.Error);
    }

    [Fact]
    public void NobodyNeedsToReadWhatATrainingSays()
    {
        var deaf = _test.Host with { Out = new FullWriter(), Error = new FullWriter() };
        Assert.Equal(0, App.Run([.. TinyRun.Arguments(_test), "--max-steps", "1", "--set", "log.progress=plain", "--out",
            _test.PathOf("runs")], deaf));
        Assert.True(RunFiles.IsFinished(RunFiles.Runs(_test, "runs").Single()));
    }

    [TheoryWith(Need.Linux)]
    [InlineData("recipes list >/dev/full", 2)]
    [InlineData("recipes list >&-", 2)]
    [InlineData("recipes list 2>&-", 0)]
    [InlineData("recipes nonsense 2>/dev/full", 2)]
    [InlineData("recipes nonsense 2>&-", 2)]
    public void TheProcessKeepsItsExitCode(string line, int code)
    {
        Assert.Equal(code, Shell($"dotnet '{Program}' {line}"));
    }

    [FactWith(Need.Linux)]
    public void AReaderThatHasEnoughIsNoticedAndNotTold()
    {
        Assert.Equal(141,
            Shell($"{{ dotnet '{Program}' recipes list 2>'{_test.PathOf("error")}'; echo $? >'{_test.PathOf("code")}'; }} | true; exit $(cat '{_test.PathOf("code")}')"));
        Assert.Equal("", File.ReadAllText(_test.PathOf("error")));
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "rpat.dll");

    private static int Shell(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return shell.ExitCode;
    }

    private sealed class FullWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("No space left on device");
    }
}
