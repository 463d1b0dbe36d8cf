using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Training;

[Collection(SerialCollection.Name)]
public partial class StopRequestTests
{
    [Fact]
    public void TheFirstSignalAsksAndTheSecondLeaves()
    {
        var heard = new List<string>();
        using var stop = new StopRequest { Announced = () => heard.Add("asked"), Leave = code => heard.Add($"left {code}") };
        Assert.False(stop.IsRequested);
        stop.Ask(130);
        Assert.True(stop.IsRequested);
        Assert.Equal(130, stop.Code);
        stop.Ask(143);
        Assert.Equal(["asked", "left 143"], heard);
        Assert.Equal(130, stop.Code);
    }

    /// <summary>A launcher signals every rank, and each hears of the others' signals as well.</summary>
    [Fact]
    public void TheFirstSignalOfAProcessThatFollowsOthersDoesNotEndIt()
    {
        var heard = new List<string>();
        using var stop = new StopRequest { Announced = () => heard.Add("asked"), Leave = code => heard.Add($"left {code}") };
        stop.Follow(143);
        stop.Follow(143);
        stop.Ask(143);
        Assert.Equal(["asked"], heard);
        stop.Ask(143);
        Assert.Equal(["asked", "left 143"], heard);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OthersAreToldBeforeTheProcessLeaves(bool grace)
    {
        using var left = new ManualResetEventSlim();
        var heard = new List<string>();
        using var stop = new StopRequest
        {
            Leave = code =>
            {
                heard.Add($"left {code}");
                left.Set();
            },
            Grace = grace ? TimeSpan.FromMilliseconds(1) : TimeSpan.Zero,
            Leaving = code => heard.Add($"told {code}"),
        };
        stop.Ask(143);
        if (!grace) stop.Ask(143);
        Assert.True(left.Wait(TimeSpan.FromSeconds(10)));
        Assert.Equal(["told 143", "left 143"], heard);
    }

    [Fact]
    public void WhoeverDoesNotStopInTimeIsLeft()
    {
        using var left = new ManualResetEventSlim();
        using var stop = new StopRequest { Leave = _ => left.Set(), Grace = TimeSpan.FromMilliseconds(1) };
        stop.Ask(143);
        Assert.True(left.Wait(TimeSpan.FromSeconds(10)));
        Assert.Equal(143, stop.Code);
    }

    [Fact]
    public void ALimitAsksOnceAndNeverLeaves()
    {
        using var asked = new ManualResetEventSlim();
        int left = 0;
        using var stop = new StopRequest { Announced = asked.Set, Leave = _ => left++ };
        stop.AskAfter(TimeSpan.FromMilliseconds(1), 7);
        Assert.True(asked.Wait(TimeSpan.FromSeconds(10)));
        stop.AskAfter(TimeSpan.Zero, 7);
        Thread.Sleep(50);
        Assert.Equal((7, 0), (stop.Code, left));
    }

    [FactWith(Need.Posix)]
    public void ASignalOfTheSystemAsks()
    {
        using var asked = new ManualResetEventSlim();
        using var stop = new StopRequest { Announced = asked.Set };
        stop.Listen();
        Assert.Equal(0, Kill(Environment.ProcessId, 15));
        Assert.True(asked.Wait(TimeSpan.FromSeconds(10)));
        Assert.Equal(143, stop.Code);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
