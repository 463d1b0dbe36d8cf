using Rpat.Engine.Gpu.Ptx;
using Rpat.Engine.Gpu.Queues;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Cli;

namespace Rpat.Tests.Trainer.Cli;

public sealed class DevicesCommandTests : IDisposable
{
    private static readonly GpuInfo _gpu =
        new("cuda:0", "NVIDIA H100", 80L << 30, 132) { Driver = "550.54.15", Cuda = "12.4", Ptx = "8.4", Capability = "9.0" };

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AGpuSaysHowItStandsAndWhatIsProven()
    {
        var when = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);
        var tested = new FirstUseResult("NVIDIA H100", "550.54.15", "tf32", "1", true, 70, when);
        var row = DevicesCommand.Row(_gpu, new GpuReading(1410, 1593, 212, 400, 45, 2048, ["power cap"]), null, [tested]);
        Assert.Equal(
            """
            cuda:0  NVIDIA H100, 80 GiB, 132 multiprocessors, compute capability 9.0, driver 550.54.15 (CUDA 12.4, PTX 8.4)
                    now: 1410 MHz, memory 1593 MHz, 212 of 400 W, 45 °C, 2048 MiB in use, held back by power cap
                    proven: kernels run as PTX in our tests; not run on hardware by us
                    self-test: passed here in tf32 on 2026-11-21

            """.ReplaceLineEndings("\n"), Text(row));
        var json = JsonDocument.Parse(JsonOption.Text(row)).RootElement;
        Assert.Equal(1410, json.GetProperty("reading").GetProperty("sm_mhz").GetInt32());
        Assert.Equal("power cap", json.GetProperty("reading").GetProperty("throttled")[0].GetString());
        Assert.Equal(DevicesCommand.Proven, json.GetProperty("proven").GetString());
    }

    [Fact]
    public void WhatIsNotKnownAndWhatCannotBeUsedIsSaid()
    {
        string text = Text(DevicesCommand.Row(_gpu with
        {
            Driver = "",
            Problem = "its driver is too old: update "
            + "it"
        }, null, "there is no library", []));
        Assert.Contains("compute capability 9.0, driver of CUDA 12.4 (PTX 8.4); cannot be used, since its driver is too old: update "
            + "it\n", text, StringComparison.Ordinal);
        Assert.Contains("now: unknown, since there is no library\n", text, StringComparison.Ordinal);
        Assert.Contains("self-test: not run here yet, 'rpat devices --self-test cuda:0' does\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ASelfTestAndAnAuditGiveRows()
    {
        var line = new SelfTestLine("conv forward", 2e-3, 0.5, 100, 10) { IsConvolution = true };
        var test = JsonDocument.Parse(JsonOption.Text(SelfTestOption.Row(line, "fp32"))).RootElement;
        Assert.Equal(
            ("conv forward", false, 1e-4),
            (test.GetProperty("name").GetString(), test.GetProperty("passed").GetBoolean(), test.GetProperty("allowed").GetDouble()));
        Assert.True(JsonDocument.Parse(JsonOption.Text(SelfTestOption.Row(line, "tf32"))).RootElement.GetProperty("passed").GetBoolean());
        var audit = JsonDocument.Parse(JsonOption.Text(PtxCommand.Row(new PtxKernel("ConvGemm", ".local")))).RootElement;
        Assert.Equal(("ConvGemm", "uses local memory"), (audit.GetProperty("name").GetString(), audit.GetProperty("verdict").GetString()));
    }

    [Fact]
    public void WhatAGpuThrowsIsASentenceOfItsOwn()
    {
        var report = ErrorReport.Of(new DeviceUnavailableException("Kernel X cannot run: do this."));
        Assert.Equal(new ErrorReport("Kernel X cannot run: do this.", ExitCode.Device), report);
        Assert.Equal(ExitCode.Device, ErrorReport.Of(new ILGPU.Runtime.Cuda.CudaException("an illegal memory access was "
            + "encountered")).Code);
    }

    private static string Text(DeviceRow row)
    {
        using var test = new TestHost();
        DevicesCommand.Write([row], test.Host);
        return test.Out;
    }
}
