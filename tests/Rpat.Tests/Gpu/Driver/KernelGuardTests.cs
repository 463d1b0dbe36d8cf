using Rpat.Engine.Gpu.Driver;
using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Driver;

/// <summary>A kernel that does not fit is refused by its name, before the driver gets it.</summary>
public class KernelGuardTests
{
    private readonly List<string> _notes = [];

    [Theory]
    [InlineData(12040, "8.4", 90, null)]
    [InlineData(12040, "8.5", 90, "Kernel ConvGemm is compiled to PTX 8.5, and the driver of cuda:0 (CUDA 12.4) knows PTX up to 8.4: "
        + "update NVIDIA's driver.")]
    [InlineData(12080, "8.6", 100, "Kernel ConvGemm is compiled for sm_100, and cuda:0 has compute capability 9.0: report it with the "
        + "output of 'rpat devices'.")]
    [InlineData(12080, "8.6", 80, null)]
    public void A_text_is_held_against_driver_and_device(int cuda, string version, int target, string? sentence)
    {
        void Look() => Guard(new FakeDriver(), cuda).RequireText("ConvGemm", $".version {version}\n.target sm_{target}\n");
        if (sentence is null) Look();
        else Assert.Equal(sentence, Assert.Throws<DeviceUnavailableException>(Look).Message);
    }

    [Fact]
    public void A_launch_is_held_against_the_registers()
    {
        var driver = new FakeDriver { Function = new(168, 384, 0, 0) };
        var guard = Guard(driver);
        var kernel = guard.Describe("ConvGemm", 1);
        guard.RequireLaunch(kernel, new(1, 1, 1), 384, 0);
        guard.RequireLaunch(kernel, new(1 << 30, 65_535, 65_535), 384, 0);
        Assert.Contains("with 1x65536x1 groups: CUDA allows 65535 along y and z", Assert.Throws<DeviceUnavailableException>(
            () => guard.RequireLaunch(kernel, new(1, 65_536, 1), 384, 0)).Message, StringComparison.Ordinal);
        var refused = Assert.Throws<DeviceUnavailableException>(() => guard.RequireLaunch(kernel, new(1, 1, 1), 512, 0));
        Assert.Equal(
            "Kernel ConvGemm cannot run with 512 threads per group on cuda:0, where its 168 registers per thread allow 384: report it with "
                + "the output of 'rpat devices'.", refused.Message);
        Assert.Empty(_notes);
    }

    /// <summary>48 KiB are free, static and dynamic together; more is asked for once; more than the device has is refused.</summary>
    [Fact]
    public void Much_shared_memory_is_asked_for()
    {
        var driver = new FakeDriver { Function = new(64, 1024, 0, 8 << 10) };
        var guard = Guard(driver);
        var kernel = guard.Describe("ConvLineGemm-Tf32", 1);
        guard.RequireLaunch(kernel, new(1, 1, 1), 128, 40 << 10);
        Assert.Empty(driver.Allowed);
        guard.RequireLaunch(kernel, new(1, 1, 1), 128, (40 << 10) + 16);
        guard.RequireLaunch(kernel, new(1, 1, 1), 128, (40 << 10) + 16);
        guard.RequireLaunch(kernel, new(1, 1, 1), 128, 219 << 10);
        guard.RequireLaunch(kernel, new(1, 1, 1), 128, 100 << 10);
        Assert.Equal([(40 << 10) + 16, 219 << 10], driver.Allowed);
        var refused = Assert.Throws<DeviceUnavailableException>(() => guard.RequireLaunch(kernel, new(1, 1, 1), 128, 220 << 10));
        Assert.Equal(
            "Kernel ConvLineGemm-Tf32 needs 225280 bytes of dynamic shared memory per group, and cuda:0 has 224256 for it: report it with "
                + "the output of 'rpat devices'.", refused.Message);
        Assert.Equal(2, driver.Allowed.Count);
    }

    [Fact]
    public void Spilled_registers_are_noted()
    {
        Guard(new FakeDriver { Function = new(255, 256, 96, 0) }).Describe("ConvGemm", 1);
        Assert.Equal("cuda:0 keeps 96 bytes of each thread of ConvGemm in memory, since its 255 registers are not enough: the kernel is "
            + "right but slow.", Assert.Single(_notes));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public void Staging_that_is_not_page_locked_is_noted(bool locks, int notes)
    {
        GpuDevice.NoteUnlocked(new FakeDriver { Locks = locks }, "cuda:0", 1, _notes.Add);
        Assert.Equal(notes, _notes.Count);
    }

    private KernelGuard Guard(FakeDriver driver, int cuda = 12040) => new(driver, "cuda:0", FakeDriver.H100, cuda, _notes.Add);
}
