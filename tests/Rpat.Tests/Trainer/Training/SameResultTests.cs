using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Training;

/// <summary>What shall change nothing changes no byte: threads, views, logs, and where the run lies.</summary>
[Collection(SerialCollection.Name)]
public sealed class SameResultTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("again", "")]
    [InlineData("threads", "--threads 1")]
    [InlineData("more-threads", "--threads 5")]
    [InlineData("plain", "--progress plain --set log.interval=0")]
    [InlineData("live", "--progress live")]
    [InlineData("silent", "--progress none --quiet")]
    [InlineData("talkative", "--verbose --no-color")]
    [InlineData("no-events", "--set log.tensorboard=false")]
    [InlineData("saved-more-often", "--set checkpoint.seconds=1e-9")]
    [InlineData("named", "--name other")]
    public void HowARunIsWatchedDoesNotChangeIt(string name, string options)
    {
        Assert.Equal(Files("plain-run", ""), Files(name, options));
    }

    [Fact]
    public void AnotherSeedIsAnotherRun() => Assert.NotEqual(Files("plain-run", ""), Files("other", "--seed 2"));

    private string[] Files(string name, string options)
    {
        string[] more = options.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--set", "train.max_steps=9", "--out", _test.PathOf(name), .. more]));
        return [.. RunFiles.Hashes(RunFiles.Runs(_test, name).Single())
            .Where(line => !line.StartsWith("checkpoints/", StringComparison.Ordinal))];
    }
}
