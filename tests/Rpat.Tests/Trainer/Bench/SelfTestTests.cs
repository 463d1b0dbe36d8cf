using Rpat.Engine.Gpu.Primitives;
using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Gpu;
using Rpat.Trainer.Bench;
using SelfTest = Rpat.Trainer.Bench.SelfTest;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>The self-test passes where kernels are right and sees one that is not.</summary>
public class SelfTestTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Tf32)]
    [InlineData(Precision.Bf16)]
    public void The_GPU_backend_passes(Precision precision) =>
        Check(fixture.Device(precision), OpCases.All.SelectMany(op => op.Ragged(every: false).Take(2)),
        precision.ToString().ToLowerInvariant());

    [Theory]
    [InlineData(1.001f)]
    [InlineData(float.NaN)]
    public void A_wrong_kernel_is_seen(float factor)
    {
        using var device = Device.Cpu(1);
        var line = new SelfTest(device, [new CaseGroup("wrong", make => [Wrong(make, factor)])], TimeSpan.Zero).Run().Single();
        Assert.False(line.Error <= line.Allowed("fp32"));
    }

    private static KernelCase Wrong(TestTensors make, float factor)
    {
        TestTensor x = make.Row(10_000), y = make.Row(10_000);
        return new("copy", k => k.Scale(10_000, x, factor, false, y), new CaseResult(y, () => x.Values)) { Covers = ["Scale"] };
    }

    private static void Check(Device device, IEnumerable<CaseGroup> groups, string precision)
    {
        foreach (var line in new SelfTest(device, groups, TimeSpan.Zero).Run())
            Assert.True(line.Error <= line.Allowed(precision), $"{line.Name}: {line.Error:E1}");
    }
}
