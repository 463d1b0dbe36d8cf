using Rpat.Engine;
using Rpat.Trainer.Bench;

namespace Rpat.Tests.Trainer.Bench;

public class SelfTestTests
{
    [Fact]
    public void TheWinogradBackendAgreesWithTheDirectOne()
    {
        using var device = Device.Cpu(1);
        using var test = new SelfTest(device, batch: 2, TimeSpan.FromMilliseconds(1));
        SelfTestLine[] lines = [.. test.Run()];
        Assert.True(lines.Length > 20);
        Assert.All(lines, line => Assert.True(line.Error <= 1e-4, $"{line.Name}: {line.Error:E1}"));
        Assert.All(lines, line => Assert.True(line.Milliseconds > 0 && line.Gigabytes > 0));
    }
}
