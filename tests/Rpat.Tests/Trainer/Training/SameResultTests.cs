namespace Rpat.Tests.Trainer.Training;

/// <summary>What shall change nothing changes no byte: threads, views, logs, and where the run lies.</summary>
public sealed class SameResultTests(SameResultTests.PlainRun plain) : IClassFixture<SameResultTests.PlainRun>, IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("again", "")]
    [InlineData("threads", "--threads 2")]
    [InlineData("more-threads", "--threads 5")]
    [InlineData("plain", "--progress plain --set log.interval=0")]
    [InlineData("live", "--progress live")]
    [InlineData("silent", "--progress none --quiet")]
    [InlineData("talkative", "--verbose --no-color")]
    [InlineData("no-events", "--set log.tensorboard=false")]
    [InlineData("saved-more-often", "--set checkpoint.seconds=1e-9")]
    [InlineData("named", "--name other")]
    public void HowARunIsWatchedDoesNotChangeIt(string name, string options) => Assert.Equal(plain.Files, Files(_test, name, options));

    [Fact]
    public void AnotherSeedIsAnotherRun() => Assert.NotEqual(plain.Files, Files(_test, "other", "--seed 2"));

    private static string[] Files(TestHost test, string name, string options)
    {
        string[] more = options.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, test.Run([.. TinyRun.Arguments(test), "--set", "train.max_steps=9", "--out", test.PathOf(name), .. more]));
        return [.. RunFiles.Hashes(RunFiles.Runs(test, name).Single())
            .Where(line => !line.StartsWith("checkpoints/", StringComparison.Ordinal))];
    }

    /// <summary>The run that the others are compared with.</summary>
    public sealed class PlainRun
    {
        public PlainRun()
        {
            using var test = new TestHost();
            Files = SameResultTests.Files(test, "plain-run", "");
        }

        public IReadOnlyList<string> Files { get; }
    }
}
