using Rpat.Engine.Gpu.Queues;
using Rpat.Trainer.Bench;
using SelfTest = Rpat.Trainer.Bench.SelfTest;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>A GPU is tested before it first counts with a driver, and what passed is kept.</summary>
public sealed class FirstUseTests : IDisposable
{
    private static readonly GpuInfo _gpu = new("cuda:0", "NVIDIA H100/80", 80L << 30, 132) { Driver = "550.54.15", Cuda = "12.4" };

    private readonly string _cache = Directory.CreateTempSubdirectory("rpat-cache-").FullName;
    private readonly List<TestHost> _hosts = [];
    private int _runs;

    public void Dispose()
    {
        foreach (var host in _hosts) host.Dispose();
        Directory.Delete(_cache, recursive: true);
    }

    [Fact]
    public void What_passed_is_not_tested_again()
    {
        var host = Require(_gpu, 1e-6);
        Assert.Equal("cuda:0: first use of NVIDIA H100/80 with driver 550.54.15 in fp32, each kernel is tested (RPAT_SELF_TEST=off leaves "
            + "that out)\n", host.Error);
        Assert.Empty(Require(_gpu with { Name = "cuda:1" }, 1e-6).Error); // another of its kind
        Assert.Equal(1, _runs);
        var kept = Assert.Single(new FirstUse(host.Host).Kept(_gpu));
        Assert.Equal(
            ("NVIDIA H100/80", "550.54.15", "fp32", true, 1),
            (kept.Model, kept.Driver, kept.Precision, kept.Passed, kept.Kernels));
    }

    [Fact]
    public void Another_driver_precision_or_model_is()
    {
        Require(_gpu, 1e-6);
        Require(_gpu with { Driver = "575.51.02" }, 1e-6);
        Require(_gpu with { Model = "NVIDIA A100" }, 1e-6);
        Require(_gpu, 1e-6, "tf32");
        Assert.Equal(4, _runs);
        Assert.Equal(["fp32", "tf32"], new FirstUse(Host().Host).Kept(_gpu).Select(kept => kept.Precision));
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_computes_wrongly_is_refused_each_time(double error)
    {
        for (int time = 1; time <= 2; time++)
        {
            var refused = Assert.Throws<DeviceException>(() => Require(_gpu, error));
            Assert.Equal(ExitCode.Device, refused.Code);
            Assert.Matches(
                @"^cuda:0 \(NVIDIA H100/80\) computes wrongly with driver 550\.54\.15: 1 of 1 kernels in fp32, 'conv forward' by \S+ of "
                    + @"its largest value where 0\.0001 is rounding; "
                + @"install another driver \('rpat devices --self-test cuda:0 --precision fp32' shows all\), or use --device "
                + @"cpu\.$", refused.Message);
            Assert.Equal(time, _runs);
        }
        Assert.False(Assert.Single(new FirstUse(Host().Host).Kept(_gpu)).Passed);
    }

    [Fact]
    public void A_precision_allows_its_rounding()
    {
        Require(_gpu, 2e-3, "tf32");
        Assert.Throws<DeviceException>(() => Require(_gpu, 2e-3));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{"model":"another","driver":"550.54.15","precision":"fp32","version":"0","passed":true,"when":"2026-01-01T00:00:00Z"}""")]
    public void A_damaged_file_is_as_none(string text)
    {
        Require(_gpu, 1e-6);
        string file = Assert.Single(Directory.GetFiles(Path.Combine(_cache, "rpat", "self-test")));
        File.WriteAllText(file, text);
        Require(_gpu, 1e-6);
        Require(_gpu, 1e-6);
        Assert.Equal(2, _runs);
    }

    [Fact]
    public void What_cannot_be_kept_is_said_and_tested_again()
    {
        File.WriteAllText(Path.Combine(_cache, "rpat"), "in the way");
        string said = Require(_gpu, 1e-6).Error;
        Assert.Matches(@"\nnote: the self-test's result could not be kept, so that it will run again \(.*\): set XDG_CACHE_HOME ", said);
        Require(_gpu, 1e-6);
        Assert.Equal(2, _runs);
    }

    [Fact]
    public void It_can_be_left_out_by_the_environment()
    {
        string note = Require(_gpu, 1, environment: ("RPAT_SELF_TEST", "off")).Error;
        Assert.Equal("note: cuda:0 is used without its self-test (RPAT_SELF_TEST=off)\n", note);
        Assert.Equal(0, _runs);
        var wrong = Assert.Throws<UsageException>(() => Require(_gpu, 1, environment: ("RPAT_SELF_TEST", "no")));
        Assert.Equal("RPAT_SELF_TEST is 'no' in the environment: give on or off.", wrong.Message);
    }

    [Fact]
    public void A_CPU_needs_none()
    {
        var host = Host();
        new FirstUse(host.Host).Require("cpu", "fp32");
        Assert.Empty(host.Error);
        Assert.Empty(Directory.GetFileSystemEntries(_cache));
    }

    [Fact]
    public void A_right_device_passes()
    {
        using var device = Rpat.Engine.Devices.Device.Cpu(2);
        var lines = new SelfTest(device, OpCases.All.SelectMany(op => op.Layers(batch: 1)), TimeSpan.Zero).Run();
        Assert.All(lines, line => Assert.True(line.Error <= line.Allowed("fp32"), line.Name));
    }

    private TestHost Require(GpuInfo gpu, double error, string precision = "fp32", (string, string)? environment = null)
    {
        var host = Host(environment);
        new FirstUse(host.Host).Require(gpu, precision, () =>
        {
            _runs++;
            return [new SelfTestLine("conv forward", error, 0, 0, 0) { IsConvolution = true }];
        });
        return host;
    }

    private TestHost Host((string, string)? environment = null)
    {
        var host = environment is { } more ? new TestHost(("XDG_CACHE_HOME", _cache), more) : new TestHost(("XDG_CACHE_HOME", _cache));
        _hosts.Add(host);
        return host;
    }
}
