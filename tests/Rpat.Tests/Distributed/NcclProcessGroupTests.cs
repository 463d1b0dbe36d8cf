using Rpat.Tests.Robust;

namespace Rpat.Tests.Distributed;

/// <summary>A group over NCCL against a stand-in that records the calls; no GPU was available.</summary>
public sealed class NcclProcessGroupTests
{
    [Fact]
    public void By_default_the_library_adds_on_its_own_stream()
    {
        var ranks = NcclStandIn.Run(2, ordered: false, (group, device) => (Sum(group, device, 10), Calls()));
        Assert.All(ranks, rank => Assert.Equal(ranks[0].Item1, rank.Item1));
        Assert.Equal(
        [
            "id", $"init 0 of 2, id {128 * 129 / 2}", "after compute", "all-reduce 10, type 7, op 0, stream True, communicator 0",
            "before compute",
        ], ranks[0].Item2);
        Assert.Equal(ranks[0].Item2[1..].Select(call => call.Replace("init 0", "init 1", StringComparison.Ordinal)
            .Replace("communicator 0", "communicator 1", StringComparison.Ordinal)), ranks[1].Item2);
    }

    [Fact]
    public void Ordered_sums_are_sent_slice_by_slice_and_added_between()
    {
        var calls = NcclStandIn.Run(2, ordered: true, (group, device) =>
        {
            Sum(group, device, 10);
            return Calls();
        })[0];
        Assert.Equal(
        [
            "after compute", "group start", "send 4 to 0, type 7", "receive 4 from 0, type 7", "send 6 to 1, type 7",
            "receive 4 from 1, type 7", "group end", "before compute", "after compute", "group start", "send 4 to 1, type 7",
            "receive 6 from 1, type 7", "group end", "before compute",
        ], calls[2..]);
    }

    [Theory]
    [InlineData(2, 1)] // fewer values than ranks
    [InlineData(2, 1000)]
    [InlineData(3, 4099)]
    public void Ordered_sums_have_the_bits_of_tcp(int size, int count)
    {
        var sums = NcclStandIn.Run(size, ordered: true, (group, device) => Sum(group, device, count));
        float[] expected = Team.Run(size, group =>
        {
            float[] values = Values(group.Rank, count);
            group.AllReduce(values);
            return values;
        })[0];
        Assert.All(sums, sum => Assert.Equal(expected, sum));
    }

    [Fact]
    public void Training_adds_its_gradients_on_the_device_with_the_same_bits()
    {
        var over = NcclStandIn.Run(2, ordered: true, (group, device) => Train(device, group));
        var tcp = Team.Run(2, group =>
        {
            using var device = Device.Cpu(1);
            return Train(device, group);
        });
        TestNets.SameBits(tcp[0], over[0]);
        TestNets.SameBits(tcp[0], over[1]);
    }

    [Fact]
    public void An_error_of_the_library_is_one_sentence()
    {
        string said = NcclStandIn.Run(1, ordered: false, (group, device) =>
        {
            NcclStandIn.Answer = 1;
            string message = Assert.Throws<NcclException>(() => Sum(group, device, 3)).Message;
            NcclStandIn.Answer = 0;
            return message;
        })[0];
        Assert.Equal(
            "ncclAllReduce failed (unhandled cuda error): set NCCL_DEBUG=WARN to see why, or give run.transport=auto", said);
    }

    [Fact]
    public void The_end_destroys_the_communicator_and_the_stream()
    {
        var calls = NcclStandIn.Run(1, ordered: false, (_, _) => NcclStandIn.Calls[(RankWorld.Here, 0)])[0];
        Assert.Equal(["destroy", "closed"], calls[^2..]);
    }

    [Fact]
    public void A_lost_rank_aborts_the_communicator_of_whoever_computes()
    {
        var calls = NcclStandIn.Run(2, ordered: false, (group, _) =>
        {
            var mine = NcclStandIn.Calls[(RankWorld.Here, group.Rank)];
            if (group.Rank == 1) group.Fail(3, "the images are not there");
            else Assert.True(SpinWait.SpinUntil(() => mine.Contains("abort"), 10_000)); // its kernels wait, it calls nothing
            return mine;
        });
        Assert.DoesNotContain("destroy", calls[0]);
    }

    private static float[] Sum(NcclProcessGroup group, Device device, int count)
    {
        var values = device.Allocate(count);
        device.Upload(Values(group.Rank, count), values);
        group.StartAllReduce(values);
        group.Wait();
        float[] sum = new float[count];
        device.Download(values, sum);
        return sum;
    }

    private static NamedArray[] Train(Device device, IProcessGroup group)
    {
        var (net, step) = MethodTests.Make(device, MethodTests.All[0], group);
        for (int i = 0; i < 2; i++)
            step.Run(TestNets.Images(step.TwoViews ? 10 : 5, seed: 10 + i), TestNets.ClassesOf(5), TestNets.Indices(5), epoch: 1,
                rate: 0.01f);
        return [.. net.State(), .. step.State()];
    }

    private static string[] Calls() => [.. NcclStandIn.Calls[(RankWorld.Here, RankWorld.Rank)]];

    private static float[] Values(int rank, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (float)Math.Sin(i * 0.37 + rank) * (rank + 1))];
}
