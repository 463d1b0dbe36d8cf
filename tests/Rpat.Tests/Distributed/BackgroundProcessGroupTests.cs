using Rpat.Tests.Support;

namespace Rpat.Tests.Distributed;

/// <summary>Collectives on a thread of their own, in the order of the calls.</summary>
public sealed class BackgroundProcessGroupTests
{
    [Fact]
    public void Started_sums_and_calls_run_in_order_on_one_thread()
    {
        var group = new Recorded();
        using (var background = new BackgroundProcessGroup(_ => group))
        {
            float[] values = new float[10];
            background.StartAllReduce(values.AsMemory(0, 4));
            background.StartAllReduce(values.AsMemory(4));
            background.AllReduce(new double[3]);
            background.AllGather<int>([1], new int[2]);
            background.Broadcast(new byte[5].AsSpan());
            background.Wait();
        }
        Assert.Equal(["4 floats", "6 floats", "3 doubles", "4 to 8 bytes", "5 bytes", "disposed"], group.Calls);
        Assert.Single(group.Threads.Distinct());
        Assert.DoesNotContain(System.Environment.CurrentManagedThreadId, group.Threads);
    }

    [Fact]
    public void A_caller_computes_while_a_sum_goes_on()
    {
        using var go = new ManualResetEventSlim();
        var group = new Recorded { Before = () => go.Wait() };
        using var background = new BackgroundProcessGroup(_ => group);
        background.StartAllReduce(new float[1]);
        Assert.Empty(group.Calls);
        go.Set(); // which only a caller that was not held up can do
        background.Wait();
        Assert.Equal(["1 floats"], group.Calls);
    }

    [Fact]
    public void What_fails_in_the_background_is_thrown_at_the_next_call_and_all_later_ones()
    {
        var lost = new PeerLostException(1, 0, "rank 1 is gone");
        using var background = new BackgroundProcessGroup(_ => new Recorded { Before = () => throw lost });
        background.StartAllReduce(new float[1]);
        Assert.Same(lost, Assert.Throws<PeerLostException>(background.Wait));
        Assert.Same(lost, Assert.Throws<PeerLostException>(() => background.AllReduce(new double[1])));
    }

    [Fact]
    public void A_wait_inside_a_library_is_abandoned_when_a_rank_is_lost()
    {
        using var forever = new ManualResetEventSlim();
        Action<Exception>? abandon = null;
        var background = new BackgroundProcessGroup(end =>
        {
            abandon = end;
            return new Recorded { Before = () => forever.Wait() };
        });
        background.StartAllReduce(new float[1]);
        abandon!(new PeerLostException(1, 0, "rank 1 is gone"));
        Assert.Throws<PeerLostException>(background.Wait);
        forever.Set();
        background.Dispose();
    }

    [Fact]
    public void A_group_that_cannot_form_says_why() => Assert.Equal("no", Assert.Throws<HandshakeException>(
        () => new BackgroundProcessGroup(_ => throw new HandshakeException("no"))).Message);

    [Fact]
    public void Repeated_calls_allocate_nothing()
    {
        using var background = new BackgroundProcessGroup(_ => new Recorded { Keeps = false });
        float[] values = new float[8], all = new float[16];
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                background.StartAllReduce(values);
                background.AllGather<float>(values, all);
                background.Wait();
            }
        }).Own);
    }

    private sealed class Recorded : IProcessGroup
    {
        public List<string> Calls { get; } = [];
        public List<int> Threads { get; } = [];
        public Action Before { get; init; } = static () => { };
        public bool Keeps { get; init; } = true;
        public int Rank => 0;
        public int Size => 2;

        public void AllReduce(Span<float> values) => Add($"{values.Length} floats");

        public void AllReduce(Span<double> values) => Add($"{values.Length} doubles");

        public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged => Add($"{mine.Length} to {all.Length} bytes");

        public void Broadcast<T>(Span<T> values) where T : unmanaged => Add($"{values.Length} bytes");

        public void Fail(int code, string sentence) => Add(sentence);

        public void Dispose() => Add("disposed");

        private void Add(string call)
        {
            if (call != "disposed") Before();
            if (!Keeps) return;
            Calls.Add(call);
            Threads.Add(System.Environment.CurrentManagedThreadId);
        }
    }
}
