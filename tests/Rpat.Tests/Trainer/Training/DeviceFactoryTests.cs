namespace Rpat.Tests.Trainer.Training;

/// <summary>What computes, by the name that a user gives it.</summary>
public class DeviceFactoryTests
{
    private static bool HasGpu => GpuBackend.Find().Devices.Count > 0;

    [Fact]
    public void AutoIsAGpuWhereThereIsOne()
    {
        using var device = DeviceFactory.Named("auto", "fp32");
        Assert.Equal(HasGpu ? "cuda:0" : "cpu", device.Name);
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData("cuda:0")]
    public void AGpuThatIsAskedForIsNeverReplacedByTheCpu(string name)
    {
        if (HasGpu) using (var device = DeviceFactory.Named(name, "fp32")) Assert.Equal("cuda:0", device.Name);
        else Assert.NotEmpty(Assert.Throws<DeviceException>(() => DeviceFactory.Named(name, "fp32")).Message);
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:x")]
    public void AnotherNameIsAnError(string name)
    {
        Assert.Throws<FormatException>(() => new DeviceKind().Parse(name));
        Assert.Contains($"device {name} is unknown", Assert.Throws<DeviceException>(() => DeviceFactory.Named(name, "fp32")).Message,
            StringComparison.Ordinal);
    }
}
