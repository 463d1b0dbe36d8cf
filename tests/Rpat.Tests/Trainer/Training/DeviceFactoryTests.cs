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

    [Fact]
    public void TheCpuEmulatesBf16AndSaysSo()
    {
        using var device = DeviceFactory.Named("cpu", "bf16", threads: 1);
        Assert.True(device.RoundsActivations);
        Assert.Contains("emulates a GPU's rounding to bfloat16", device.Description, StringComparison.Ordinal);
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
