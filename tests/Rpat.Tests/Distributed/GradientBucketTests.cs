using Rpat.Tests.Robust;

namespace Rpat.Tests.Distributed;

/// <summary>Gradients on their way out while the backward pass goes on.</summary>
public sealed class GradientBucketTests
{
    [Fact]
    public void Buckets_go_out_last_layers_first_before_the_pass_has_ended()
    {
        using var device = Device.Cpu(1);
        var group = new Counted();
        var (net, step) = MethodTests.Make(device, MethodTests.All[0], group);
        for (int i = 0; i < 2; i++)
        {
            group.Heard.Clear();
            step.Run(TestNets.Images(step.TwoViews ? 8 : 4, seed: i), TestNets.ClassesOf(4), TestNets.Indices(4), epoch: 1, rate: 0.01f);
            int[] started = [.. group.Heard.TakeWhile(length => length != Counted.Waited).Where(length => length > 0)];
            Assert.Equal(net.Parameters.Count, started.Sum());
            Assert.True(started.Length > 3, $"{started.Length} buckets");
            Assert.True(started[0] <= started[^1], "the short bucket is not the last layers'");
            // Batch norms' own sums come between, so the pass was still going on.
            int first = group.Heard.FindIndex(length => length > 0), last = group.Heard.FindLastIndex(length => length > 0);
            Assert.Contains(Counted.BatchNorm, group.Heard[first..last]);
        }
    }

    /// <summary>Two ranks of which the other one adds zeros.</summary>
    private sealed class Counted : IProcessGroup
    {
        public const int BatchNorm = -1, Waited = -2;

        public List<int> Heard { get; } = [];

        public int Rank => 0;

        public int Size => 2;

        public void AllReduce(Span<float> values) => throw new InvalidOperationException("gradients are started");

        public void AllReduce(Span<double> values) => Heard.Add(BatchNorm);

        public void StartAllReduce(Memory<float> values) => Heard.Add(values.Length);

        public void Wait() => Heard.Add(Waited);

        public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged
        {
            for (int start = 0; start < all.Length; start += mine.Length) mine.CopyTo(all[start..]);
        }

        public void Broadcast<T>(Span<T> values) where T : unmanaged
        {
        }

        public void Fail(int code, string sentence)
        {
        }

        public void Dispose()
        {
        }
    }
}
