using Rpat.Engine.Gpu.Driver;
using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Driver;

/// <summary>What the driver answers decides what can be used, and a sentence says why something cannot.</summary>
public class GpuBackendTests
{
    [Fact]
    public void A_GPU_is_described()
    {
        var (gpus, why) = GpuBackend.Find(new FakeDriver());
        Assert.Null(why);
        var gpu = Assert.Single(gpus);
        Assert.Equal(
            ("cuda:0", "NVIDIA H100", "9.0", "550.54.15", "12.4", "8.4", "0000:3B:00.0"),
            (gpu.Name, gpu.Model, gpu.Capability, gpu.Driver, gpu.Cuda, gpu.Ptx, gpu.BusId));
        Assert.Null(gpu.Problem);
    }

    /// <summary>Numbers are the driver's, also behind a GPU that cannot be used.</summary>
    [Fact]
    public void A_GPU_that_cannot_be_used_keeps_its_number()
    {
        var driver = new FakeDriver { Found = [FakeDriver.Gtx1080, FakeDriver.H100] };
        var (gpus, why) = GpuBackend.Find(driver);
        Assert.Null(why);
        Assert.Equal(["cuda:0", "cuda:1"], gpus.Select(gpu => gpu.Name));
        Assert.Equal("its compute capability is 6.1, and the kernels need 7.0: choose another GPU", gpus[0].Problem);
        Assert.Equal(FakeDriver.H100, GpuBackend.Require(driver, 1, Precision.Bf16).Device);
    }

    [Fact]
    public void Where_none_can_be_used_the_reason_is_told()
    {
        string? old = GpuBackend.Find(new FakeDriver { Cuda = 10020 }).Why;
        Assert.StartsWith("cuda:0 cannot be used, since its driver knows CUDA 10.2 and PTX 6.5", old, StringComparison.Ordinal);
        Assert.Equal("the CUDA driver found no GPU: check that nvidia-smi lists one", GpuBackend.Find(new FakeDriver { Found = [] }).Why);
        Assert.Equal("it is broken: mend it", GpuBackend.Find(new FakeDriver { Refusal = "it is broken: mend it" }).Why);
    }

    [Fact]
    public void This_machines_driver_is_asked_without_an_exception()
    {
        var (gpus, why) = GpuBackend.Find();
        Assert.Equal(gpus.All(gpu => gpu.Problem is not null), why is not null);
    }

    [Theory]
    [InlineData("driver", 0, Precision.Fp32, "cuda:0 (NVIDIA H100) cannot be used: its driver knows CUDA 10.2 and PTX 6.5, and the kernels "
        + "need PTX 7.0 (CUDA 11.0): update NVIDIA's driver, or use the CPU.")]
    [InlineData("t4", 0, Precision.Tf32, "cuda:0 (Tesla T4) cannot be used: its compute capability is 7.5, and tf32 needs 8.0: choose "
        + "fp32, or use the CPU.")]
    [InlineData("t4", 0, Precision.Bf16, "cuda:0 (Tesla T4) cannot be used: its compute capability is 7.5, and bf16 needs 8.0: choose "
        + "fp32, or use the CPU.")]
    [InlineData("old", 0, Precision.Fp32, "cuda:0 (GTX 1080) cannot be used: its compute capability is 6.1, and the kernels need 7.0: "
        + "choose another GPU, or use the CPU.")]
    [InlineData("good", 3, Precision.Fp32, "cuda:3 cannot be used: this machine has cuda:0 to cuda:0.")]
    [InlineData("none", 0, Precision.Fp32, "cuda:0 cannot be used: the CUDA driver found no GPU: check that nvidia-smi lists one, or use "
        + "the CPU.")]
    public void What_cannot_be_opened_is_one_sentence(string machine, int index, Precision precision, string sentence)
    {
        var driver = machine switch
        {
            "driver" => new FakeDriver { Cuda = 10020 },
            "t4" => new FakeDriver { Found = [FakeDriver.T4] },
            "old" => new FakeDriver { Found = [FakeDriver.Gtx1080] },
            "none" => new FakeDriver { Found = [] },
            _ => new FakeDriver(),
        };
        Assert.Equal(sentence, Assert.Throws<DeviceUnavailableException>(() => GpuBackend.Require(driver, index, precision)).Message);
    }

    [Fact]
    public void A_T4_multiplies_in_fp32() =>
        Assert.Equal(FakeDriver.T4, GpuBackend.Require(new FakeDriver { Found = [FakeDriver.T4] }, 0, Precision.Fp32).Device);

    [Theory]
    [InlineData(0, "")]
    [InlineData(0x001, "")] // idle
    [InlineData(0x004, "power cap")]
    [InlineData(0x061, "thermal, by software|thermal, by hardware")]
    [InlineData(0xfff, "application clocks|power cap|hardware slowdown|sync boost|thermal, by software|thermal, by hardware|power "
        + "brake|display clocks")]
    public void Bits_of_the_management_library_have_names(int bits, string names) =>
        Assert.Equal(names, string.Join('|', GpuReading.Reasons((ulong)bits)));

    [Fact]
    public void A_reading_is_a_line_of_what_is_known()
    {
        Assert.Equal(
            "1410 MHz, memory 1593 MHz, 212 of 400 W, 45 °C, 2048 MiB in use, held back by power cap",
            new GpuReading(1410, 1593, 211.7, 400, 45, 2048, ["power cap"]).ToString());
        Assert.Equal("60 W", new GpuReading(null, null, 60, null, null, null, []).ToString());
    }
}
