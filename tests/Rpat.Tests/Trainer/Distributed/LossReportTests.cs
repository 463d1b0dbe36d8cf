using Rpat.Trainer.Distributed;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>Who says that a rank is lost, and when.</summary>
public sealed class LossReportTests
{
    [Theory]
    [InlineData(0, 1, true)]
    [InlineData(0, 2, true)]
    [InlineData(1, 0, true)]
    [InlineData(1, 2, false)]
    [InlineData(2, 0, false)]
    [InlineData(2, 1, false)]
    public void One_rank_reports_and_the_others_leave_it_to_it(int rank, int lost, bool reports) =>
        Assert.Equal(reports ? $"rpat: rank {lost} is gone; {Advice}\n" : "",
            Said(rank, new PeerLostException(lost, 0, $"rank {lost} is gone")));

    [Fact]
    public void A_rank_that_has_reported_its_own_failure_is_not_reported_again() =>
        Assert.Equal("", Said(0, new PeerLostException(1, 3, "no data")));

    [Fact]
    public void A_rank_that_computes_for_long_reports_meanwhile_and_only_once()
    {
        using var output = new StringWriter();
        var ranks = new Losing();
        using var group = new BackgroundProcessGroup(_ => ranks);
        using (new LossReport(group, Place(0), output))
        {
            ranks.Lose(new PeerLostException(1, 0, "rank 1 is gone"));
            Assert.True(SpinWait.SpinUntil(() => output.ToString().Length > 0, 10_000));
        }
        Assert.Equal($"rpat: rank 1 is gone; {Advice}\n", output.ToString());
    }

    [Fact]
    public void A_rank_that_computes_for_too_long_ends()
    {
        using var ended = new ManualResetEventSlim();
        int code = 0;
        using var stop = new StopRequest
        {
            Leave = given =>
            {
                code = given;
                ended.Set();
            }
        };
        var ranks = new Losing();
        using var group = new BackgroundProcessGroup(_ => ranks);
        _ = new RunProcessGroup(group, stop) { LossPatience = TimeSpan.FromMilliseconds(1) };
        ranks.Lose(new PeerLostException(1, 0, "rank 1 is gone"));
        Assert.True(ended.Wait(10_000));
        Assert.Equal(4, code);
    }

    private const string Advice = "a training run resumes from its last checkpoint with --resume auto, in any number of processes.";

    private static ProcessRank Place(int rank) => new("a test", rank, 3, rank, 3, "localhost", 0);

    private static string Said(int rank, PeerLostException lost)
    {
        using var output = new StringWriter();
        var ranks = new Losing();
        using var group = new BackgroundProcessGroup(_ => ranks);
        using (new LossReport(group, Place(rank), output)) ranks.Lose(lost);
        return output.ToString();
    }

    /// <summary>A group that loses a rank when it is told to.</summary>
    private sealed class Losing : IProcessGroup, ILossSource
    {
        public event Action<PeerLostException>? Lost;

        public int Rank => 0;
        public int Size => 3;

        public void Lose(PeerLostException lost) => Lost?.Invoke(lost);

        public void AllReduce(Span<float> values) { }

        public void AllReduce(Span<double> values) { }

        public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged { }

        public void Broadcast<T>(Span<T> values) where T : unmanaged { }

        public void Fail(int code, string sentence) { }

        public void Dispose() { }
    }
}
