namespace Rpat.Tests.Trainer.Cli;

public sealed class DoctorCommandTests
{
    [Fact]
    public void OnePageDescribesTheMachine()
    {
        using var test = new TestHost(("RPAT_RUNS", "/no/such/place"), ("SECRET", "hidden"), ("RPAT_DATA", "/nowhere"));
        Assert.Equal(0, test.Run("doctor"));
        string[] names = ["rpat", "runtime", "system", "cpu", "memory", "device", "runs", "clock", "data", "environment"];
        Assert.All(names, name => Assert.Matches($"(?m)^{name} +\\S", test.Out));
        Assert.Contains("RPAT_DATA=/nowhere", test.Out);
        Assert.DoesNotContain("hidden", test.Out);
        Assert.Empty(test.Error);
    }
}
