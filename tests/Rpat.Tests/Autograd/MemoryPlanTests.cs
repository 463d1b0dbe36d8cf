using Rpat.Engine.Kernels.Cpu;
using Rpat.Tests.Support;

namespace Rpat.Tests.Autograd;

public class MemoryPlanTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Buffers_that_live_at_the_same_time_never_overlap(int seed)
    {
        using GraphRun graph = new(seed, seed % 3 == 0 ? Gradients.Inputs : Gradients.Inputs | Gradients.Parameters);
        graph.Run();
        Lifetimes lifetimes = new(graph.Tape, graph.Logits);
        var places = lifetimes.All.ToArray();
        Assert.True(places.Length > 30);
        for (int i = 0; i < places.Length; i++)
            for (int j = 0; j < i; j++)
                AssertApart(lifetimes, (places[i].Key, places[i].Value), (places[j].Key, places[j].Value));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Sharing_memory_changes_no_bit(int seed)
    {
        using GraphRun graph = new(seed);
        float[] planned = graph.Run();
        Assert.All(planned, v => Assert.True(float.IsFinite(v)));
        graph.GiveOwnMemory(new Lifetimes(graph.Tape, graph.Logits).All);
        Bits.Equal(planned, graph.Run());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_replay_gives_the_same_bits_whatever_the_arena_held(int seed)
    {
        using GraphRun graph = new(seed);
        float[] first = graph.Run();
        Bits.Equal(first, graph.Run());
        graph.PoisonArena();
        Bits.Equal(first, graph.Run());
    }

    [Theory]
    [InlineData(Gradients.None)]
    [InlineData(Gradients.Inputs)]
    [InlineData(Gradients.Parameters)]
    public void Fewer_gradients_need_no_more_memory(Gradients gradients)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            using GraphRun all = new(seed), some = new(seed, gradients);
            float loss = all.Run()[0];
            Assert.Equal(loss, some.Run()[0]);
            Assert.InRange(some.Tape.PlannedBytes - KeptWeightBytes(some.Tape), 1, all.Tape.PlannedBytes);
        }
    }

    [Fact]
    public void The_plan_shares_memory()
    {
        using GraphRun graph = new(seed: 1);
        graph.Run();
        long separate = new Lifetimes(graph.Tape, graph.Logits).All.Keys.Sum(p => p.Buffer.Length) * sizeof(float);
        Assert.InRange(graph.Tape.PlannedBytes, 1, separate * 3 / 4);
    }

    /// <summary>What a tape without weight gradients holds on to from run to run, each copy rounded up to 256 bytes.</summary>
    private static long KeptWeightBytes(Tape tape)
    {
        if (tape.Gradients.HasFlag(Gradients.Parameters)) return 0;
        var derived = tape.Nodes.SelectMany(n => n.ForwardWeights.Concat(n.BackwardWeights)).Select(w => w.Storage);
        return new Lifetimes(tape).All.Keys.Select(p => p.Tensor).Intersect(derived).Sum(t => (t.StorageLength + 63) / 64 * 256);
    }

    private static void AssertApart(Lifetimes lifetimes, (Place Place, Lifetime Life) a, (Place Place, Lifetime Life) b)
    {
        int from = Math.Max(a.Life.First, b.Life.First), to = Math.Min(a.Life.Last, b.Life.Last);
        if (from > to || !Overlap(a.Place.Buffer, b.Place.Buffer)) return;
        if (from == to && lifetimes.MayShare(a.Place, b.Place, from)) return;
        Assert.Fail($"{a.Place} and {b.Place} overlap in steps {from} to {to}.");
    }

    private static unsafe bool Overlap(DeviceBuffer a, DeviceBuffer b) =>
        a.Floats() < b.Floats() + b.Length && b.Floats() < a.Floats() + a.Length;
}
