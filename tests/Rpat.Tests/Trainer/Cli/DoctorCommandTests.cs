namespace Rpat.Tests.Trainer.Cli;

public sealed class DoctorCommandTests
{
    [Fact]
    public void OnePageDescribesTheMachine()
    {
        using var test = new TestHost(("RPAT_RUNS", "/no/such/place"), ("SECRET", "hidden"), ("RPAT_TEAM_SECRET", "hidden"),
            ("RPAT_DATA", "/nowhere"));
        Assert.Equal(0, test.Run("doctor"));
        string[] names = ["rpat", "runtime", "system", "cpu", "memory", "device", "runs", "clock", "data", "environment"];
        Assert.All(names, name => Assert.Matches($"(?m)^{name} +\\S", test.Out));
        Assert.Contains("RPAT_DATA=/nowhere", test.Out);
        Assert.Contains("RPAT_TEAM_SECRET=(set, not shown)", test.Out);
        Assert.Matches(@"(?m)^data folder +/nowhere: not there: RPAT_DATA names another$", test.Out);
        Assert.DoesNotContain("hidden", test.Out);
        Assert.Empty(test.Error);
    }

    [Fact]
    public void AnEmptyVariableIsNoFolder()
    {
        using var test = new TestHost(("RPAT_DATA", ""));
        Assert.True(test.Run("doctor") == 0, test.Error);
    }
}
