using Rpat.Tests.Support;
using Rpat.Trainer.Bench;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>The model of many GPUs, on paper.</summary>
public sealed class ScalingModelTests
{
    [Fact]
    public void The_documentation_has_what_the_command_prints()
    {
        using var test = new TestHost();
        Assert.Equal(0, test.Run(["bench", "comm", "--project"]));
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/several-processes.md"));
        Assert.Contains(test.Out.Trim(), page, StringComparison.Ordinal);
    }

    [Fact]
    public void Traffic_hides_behind_the_backward_pass_but_for_its_last_bucket_and_norms_stop_the_computation()
    {
        // 2 GPUs, 8 MiB of gradients in two buckets, 1 GB/s: 4 MiB to the other, then the own sum of 4 MiB.
        var model = new ScalingModel(2 << 20, Norms: 10, ComputeSeconds: 1, BackwardShare: 0.5, 1e9, LatencySeconds: 1e-3,
            MessageSeconds: 0);
        double traffic = (8 << 20) / 1e9 + 2 * 2 * 1e-3, waits = 10 * 4 * 1e-3;
        Assert.Equal(8 << 20, model.BytesPerStep(2));
        Assert.Equal(traffic, model.TrafficSeconds(2), 1e-9);
        Assert.Equal(waits, model.WaitSeconds(2), 1e-9);
        Assert.Equal(1 + waits + traffic / 2, model.StepSeconds(2), 1e-9);
        Assert.Equal(1 / (1 + waits + traffic), (model with { BackwardShare = 0 }).Efficiency(2), 1e-9);
        Assert.Equal(1, (model with { Norms = 0, LatencySeconds = 0, BytesPerSecond = 1e30 }).Efficiency(512), 1e-9);
    }

    [Fact]
    public void A_network_that_nobody_has_measured_needs_a_time()
    {
        using var test = new TestHost();
        Assert.Equal(2, test.Run(["bench", "comm", "--project", "--model", "mobilenetv2"]));
        Assert.Equal("rpat: no step of mobilenetv2 that was measured is known: measure one by 'rpat bench step' and give its milliseconds "
            + "to --project.\n", test.Error);
        Assert.Equal(0, test.Run(["bench", "comm", "--project", "20", "--model", "mobilenetv2"]));
    }
}
