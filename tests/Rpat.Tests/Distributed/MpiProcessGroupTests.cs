using System.Net;
using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Distributed;

namespace Rpat.Tests.Distributed;

/// <summary>A group over a stand-in for an MPI library, its ranks threads of this process.</summary>
public sealed class MpiProcessGroupTests
{
    [Theory]
    [InlineData(1, 1 << 20)]
    [InlineData(2, 1 << 20)]
    [InlineData(3, 64)] // many pieces, of which the last is short
    [InlineData(5, 1 << 10)]
    public void Sums_have_the_bits_of_tcp_however_they_are_cut(int size, int piece)
    {
        float[] over = MpiStandIn.Run(size, piece, MpiAbi.Mpich, group => Sum(group)).Distinct(new SameBits()).Single();
        Assert.Equal(Team.Run(size, group => Sum(group))[0], over);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(1 << 16)]
    public void Gathers_and_broadcasts_are_cut_into_pieces(int piece)
    {
        var made = MpiStandIn.Run(3, piece, MpiAbi.Standard, group =>
        {
            int[] all = new int[6 * 7], values = [.. Enumerable.Range(0, 50).Select(i => i * (1 - group.Rank))];
            group.AllGather<int>([.. Enumerable.Repeat(group.Rank, 7 * (3 - group.Rank))], all);
            group.Broadcast(values.AsSpan());
            group.Barrier();
            return (all, values, group.BroadcastBytes(group.Rank == 0 ? [7, 8, 9] : []));
        });
        foreach (var (all, values, bytes) in made)
        {
            Assert.Equal([.. Enumerable.Repeat(0, 21), .. Enumerable.Repeat(1, 14), .. Enumerable.Repeat(2, 7)], all);
            Assert.Equal(Enumerable.Range(0, 50), values);
            Assert.Equal([7, 8, 9], bytes);
        }
    }

    [Fact]
    public void Ranks_that_do_not_come_are_waited_for_within_the_limit() => Assert.Equal(
        "rank 1 has waited 0 s for all 2 ranks to initialise Stand-in 1.0 (libstandin.so): see what the missing ones said.",
        Assert.Throws<HandshakeException>(() => new BackgroundProcessGroup(abandon => MpiProcessGroup.Join(MpiStandIn.Waiting(),
            new MpiPlace("a test", 1, 2, true), Team.Options with { JoinTimeout = TimeSpan.FromMilliseconds(20) }, abandon))).Message);

    [Fact]
    public void The_library_is_called_from_one_thread_while_sums_go_on()
    {
        var earlier = MpiStandIn.Threads.Keys.ToHashSet();
        MpiStandIn.Threads.Clear();
        var ranks = MpiStandIn.Run(2, 1 << 12, MpiAbi.Standard, group =>
        {
            float[] values = [.. Enumerable.Repeat(1f + group.Rank, 5000)];
            double[] sum = [group.Rank];
            group.StartAllReduce(values.AsMemory(0, 2500));
            group.StartAllReduce(values.AsMemory(2500));
            group.AllReduce(sum.AsSpan());
            group.Wait();
            return (values, sum[0], System.Environment.CurrentManagedThreadId);
        });
        Assert.All(ranks, rank => Assert.Equal(1, rank.Item2));
        Assert.All(ranks, rank => Assert.All(rank.values, value => Assert.Equal(3, value)));
        int[] callers = [.. MpiStandIn.Threads.Where(pair => !earlier.Contains(pair.Key)).Select(pair => Assert.Single(pair.Value))];
        Assert.Equal(2, callers.Distinct().Count());
        Assert.Empty(callers.Intersect(ranks.Select(rank => rank.Item3)));
    }

    [Fact]
    public void Ranks_that_are_out_of_sync_are_told_so()
    {
        string[] said = MpiStandIn.Run(2, 1 << 12, MpiAbi.Mpich, group => Team.Try(() =>
        {
            if (group.Rank == 0) group.AllReduce(new float[3]);
            else group.AllReduce(new double[3]);
        })!.Message);
        Assert.All(said, sentence => Assert.StartsWith("the ranks are out of sync: rank ", sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void Whoever_fails_ends_the_waits_of_all_with_its_code()
    {
        using var stuck = new ManualResetEventSlim();
        var said = MpiStandIn.Run(2, 1 << 12, MpiAbi.Mpich, group =>
        {
            if (group.Rank == 0) return Team.Try(group.Barrier); // stays inside the library, which rank 1 never enters
            stuck.Wait(200);
            group.Fail(3, "the images are not there");
            return null;
        });
        var lost = Assert.IsType<PeerLostException>(said[0]);
        Assert.Equal((1, 3, "the images are not there"), (lost.Rank, lost.Code, lost.Message));
    }

    [Fact]
    public void A_library_under_another_launcher_is_one_sentence()
    {
        using var world = new RankWorld(1);
        var error = Assert.Throws<HandshakeException>(() => new BackgroundProcessGroup(abandon =>
        {
            world.Enter(0);
            return MpiProcessGroup.Join(MpiStandIn.Library(MpiAbi.Mpich), new MpiPlace("mpirun", 1, 4, true), Team.Options, abandon);
        }));
        Assert.True(error.IsCommon);
        Assert.Equal(
            "mpirun has started 4 processes, but for Stand-in 1.0 (libstandin.so) this is rank 0 of 1: it belongs to another launcher; "
            + "name the launcher's library in RPAT_MPI, or give run.transport=tcp.", error.Message);
    }

    [Theory]
    [InlineData("Open MPI v4.1.4", 0, MpiFamily.OpenMpi)]
    [InlineData("Open MPI v4.1.4", -1, MpiFamily.OpenMpi)]
    [InlineData("Open MPI v6.0.0", 1, MpiFamily.Standard)]
    [InlineData("MPICH Version: 4.0.2", 0, MpiFamily.Mpich)]
    [InlineData("MPICH Version: 5.0.0", 1, MpiFamily.Standard)]
    [InlineData("Intel(R) MPI Library 2021.11 for Linux* OS", 0, MpiFamily.Mpich)]
    [InlineData("MVAPICH Version: 3.0", 0, MpiFamily.Mpich)]
    [InlineData("Some MPI", 0, null)]
    public void A_library_says_which_family_it_is_of(string version, int standard, MpiFamily? family) =>
        Assert.Equal(family, MpiAbi.FamilyOf(version, standard));

    [Theory]
    [InlineData("libm.so.6", "libm.so.6 is not an MPI library (")]
    [InlineData("/nowhere/libmpi.so", "RPAT_MPI is '/nowhere/libmpi.so', which cannot be loaded: ")]
    public void What_is_no_library_is_one_sentence(string named, string sentence) => Assert.StartsWith(
        sentence, Assert.Throws<HandshakeException>(() => MpiLibrary.Find(named, null)).Message, StringComparison.Ordinal);

    /// <summary>UCX, on which a library may be built, leaves .NET the signal by which it notices a null reference.</summary>
    [TheoryWith(Need.Mpi)]
    [InlineData("openmpi")]
    [InlineData("mpich")]
    public void A_null_reference_stays_an_exception_beside_a_library(string family)
    {
        _ = Mpirun.Library(family); // loads it
        int[]? nothing = null;
        Assert.Throws<NullReferenceException>(() => nothing![0] = 1);
    }

    [Theory]
    [InlineData("", "10.0.0.2/24", "127.0.0.1")]
    [InlineData("172.17.0.1/16 10.0.0.1/24", "10.0.0.2/24 172.17.0.1/16", "10.0.0.1")] // both have a network of containers
    [InlineData("192.168.7.1/24 10.0.0.1/24", "10.0.0.2/24", "10.0.0.1")]
    [InlineData("192.168.7.1/24", "10.0.0.2/24", "192.168.7.1")]
    [InlineData("10.0.0.1/24", "10.0.0.1/24", "10.0.0.1")] // rank 0's machine
    [InlineData("fd00::1/64 10.0.0.1/24", "fd00::2/64", "fd00::1")]
    public void A_machine_reaches_rank_zero_by_the_network_that_both_are_in(string zero, string own, string address)
    {
        var invitation = new Invitation(7, "word", Addresses(zero));
        var read = Invitation.Read(invitation.Text);
        Assert.Equal((7, "word"), (read.Port, read.Token));
        Assert.Equal(address, read.Reachable(Addresses(own)));
    }

    private static OwnAddress[] Addresses(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Split('/'))
            .Select(pair => new OwnAddress(IPAddress.Parse(pair[0]), int.Parse(pair[1], CultureInfo.InvariantCulture)))];

    private static float[] Sum(IProcessGroup group)
    {
        float[] large = Values(group.Rank, 20_011), small = Values(group.Rank, 5), none = [];
        double[] exact = [1e-12 * (group.Rank + 1), 1];
        group.AllReduce(large);
        group.AllReduce(small);
        group.AllReduce(none);
        group.AllReduce(exact);
        return [.. large, .. small, (float)exact[0], (float)exact[1]];
    }

    private static float[] Values(int rank, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (float)Math.Sin(i * 0.37 + rank) * (rank + 1))];

    private sealed class SameBits : IEqualityComparer<float[]>
    {
        public bool Equals(float[]? x, float[]? y) => x!.SequenceEqual(y!);

        public int GetHashCode(float[] obj) => obj.Length;
    }
}
