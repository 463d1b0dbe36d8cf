using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

/// <summary>Barriers, exchanges, asynchronous copies: what threads do together.</summary>
public sealed class ExchangeTests : IDisposable
{
    private const string Copy = "shl.b32 %r5, %r0, 4; add.s32 %r6, %r3, %r5; mul.wide.u32 %rd5, %r0, 16; add.s64 %rd6, %rd1, %rd5; "
        + "cp.async.cg.shared.global [%r6], [%rd6], 16; ";
    private const string Take = " ld.shared.v4.b32 {%r10, %r11, %r12, %r13}, [%r6]; add.s64 %rd7, %rd0, %rd5; "
        + "st.global.v4.b32 [%rd7], {%r10, %r11, %r12, %r13};";
    private const string TakeOther = " xor.b32 %r5, %r5, 16; add.s32 %r6, %r3, %r5;" + Take;

    private readonly PtxRig _rig = new();

    public void Dispose() => _rig.Dispose();

    /// <summary>Expected lanes of the four threads 0, 5, 20 and 31 of values that are ten times the lane.</summary>
    [Theory]
    [InlineData("bfly", 1, 31, new uint[] { 10, 40, 210, 300 })]
    [InlineData("bfly", 16, 31, new uint[] { 160, 210, 40, 150 })]
    [InlineData("bfly", 16, 0x100F, new uint[] { 0, 50, 40, 150 })] // segments of 16 are closed at their upper end only
    [InlineData("down", 3, 31, new uint[] { 30, 80, 230, 310 })]
    [InlineData("down", 3, 0x1807, new uint[] { 30, 50, 230, 310 })] // segments of 8
    [InlineData("up", 3, 0, new uint[] { 0, 20, 170, 280 })]
    [InlineData("up", 3, 0x1000, new uint[] { 0, 20, 170, 280 })]
    [InlineData("up", 5, 0x1800, new uint[] { 0, 0, 200, 260 })]
    [InlineData("idx", 7, 31, new uint[] { 70, 70, 70, 70 })]
    [InlineData("idx", 2, 0x1807, new uint[] { 20, 20, 180, 260 })]
    public void Exchanges_take_the_right_lane(string mode, int by, int clamp, uint[] expected)
    {
        _rig.Run($"mul.lo.s32 %r5, %r0, 10; shfl.sync.{mode}.b32 %r6, %r5, {by}, {clamp}, 0xffffffff; st.global.b32 [%rd3], %r6;");
        Assert.Equal(expected, new[] { 0, 5, 20, 31 }.Select(lane => _rig.Words[lane]));
    }

    [Fact]
    public void An_exchange_says_whether_it_reached()
    {
        _rig.Run("shfl.sync.down.b32 %r6|%p1, %r0, 8, 31, -1; selp.b32 %r5, 1, 0, %p1; st.global.b32 [%rd3], %r5;");
        Assert.Equal((1u, 0u), (_rig.Words[23], _rig.Words[24]));
    }

    [Theory]
    [InlineData("setp.lt.s32 %p1, %r0, 3; @%p1 bra SKIP; shfl.sync.bfly.b32 %r5, %r0, 1, 31, -1; "
        + "SKIP:", "waits in an exchange that thread (0, 0, 0) does not reach: it went another way")]
    [InlineData("setp.lt.s32 %p1, %r0, 3; @%p1 ret; "
        + "shfl.sync.bfly.b32 %r5, %r0, 1, 31, -1;", "thread (0, 0, 0) does not reach: it has ended")]
    [InlineData("shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffff;", "whose member mask 0000ffff does not name it")]
    [InlineData("setp.lt.s32 %p1, %r0, 16; "
        + "@%p1 shfl.sync.bfly.b32 %r5, %r0, 16, 31, 0xffff;", "takes a value from lane 16, which does not take part")]
    [InlineData("setp.lt.s32 %p1, %r0, 16; @%p1 bar.warp.sync -1;", "thread (16, 0, 0) does not reach")]
    public void An_exchange_that_not_all_reach_fails(string body, string words) =>
        Assert.Contains(words, _rig.Fails(PtxFaultKind.Exchange, body).Message);

    /// <summary>A thread that names a row receives words of other rows, too.</summary>
    [Fact]
    public void A_matrix_is_read_by_all_threads()
    {
        const string store = "shl.b32 %r5, %r0, 4; add.s32 %r6, %r3, %r5; st.shared.v4.b32 [%r6], {%r0, %r0, %r0, %r0}; ",
            load = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r6]; ";
        _rig.Fails(PtxFaultKind.SharedRace, store + load);
        _rig.Run(store + "bar.warp.sync -1; " + load);
        _rig.Fails(PtxFaultKind.SharedRace, store + "bar.warp.sync -1; " + load + "st.shared.b32 [%r6], %r0;");
        const string both = "and.b32 %r5, %r0, 31; shl.b32 %r5, %r5, 4; add.s32 %r6, %r3, %r5; setp.lt.s32 %p1, %r0, 32; "
            + "@%p1 st.shared.v4.b32 [%r6], {%r0, %r0, %r0, %r0}; bar.sync 0; " + load;
        _rig.Run(both, threads: 64);
        _rig.Fails(PtxFaultKind.SharedRace, both + "bar.warp.sync -1; @%p1 st.shared.b32 [%r6], %r0;", threads: 64); // read by both warps
    }

    [Fact]
    public void What_is_not_wanted_of_a_vector_goes_nowhere()
    {
        _rig.Run("mul.wide.u32 %rd5, %r0, 8; mov.b64 {_, %r6}, %rd5; st.global.b32 [%rd3], %r0;");
        Assert.Equal(31u, _rig.Words[31]); // the first register, which holds the thread's number, is as it was
    }

    [Fact]
    public void Half_a_warp_may_exchange()
    {
        _rig.Run("setp.lt.s32 %p1, %r0, 16; @%p1 shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffff; @%p1 st.global.b32 [%rd3], %r5;");
        _rig.Run("shfl.sync.down.b32 %r5, %r0, 0, 31, -1; st.global.b32 [%rd3], %r5;", threads: 40);
        Assert.Equal(39u, _rig.Words[39]);
    }

    [Theory]
    [InlineData("setp.lt.s32 %p1, %r0, 3; @%p1 bra SKIP; bar.sync 0; "
        + "SKIP:", 32, "waits at a barrier that thread (0, 0, 0) does not reach: it went another way")]
    [InlineData("setp.lt.s32 %p1, %r0, 3; @%p1 ret; bar.sync 0;", 32, "thread (0, 0, 0) does not reach: it has ended")]
    [InlineData("setp.lt.s32 %p1, %r0, 32; @%p1 ret; "
        + "bar.sync 0;", 64, "thread (32, 0, 0): waits at a barrier that thread (0, 0, 0) does not reach: it has ended")]
    [InlineData("setp.lt.s32 %p1, %r0, 32; @%p1 bra OTHER; bar.sync 0; ret; OTHER: bar.sync 0;", 64, "does not reach: it waits at line")]
    public void A_barrier_that_not_all_reach_fails(string body, int threads, string words) =>
        Assert.Contains(words, _rig.Fails(PtxFaultKind.Barrier, body, threads: threads).Message);

    [Fact]
    public void A_barrier_in_a_loop_is_reached_by_all()
    {
        _rig.Run("""
            mov.b32 %r5, 0;
            LOOP: setp.eq.s32 %p1, %r0, %r5; @%p1 st.shared.b32 [%r3], %r5;
            bar.sync 0;
            ld.shared.b32 %r6, [%r3];
            bar.sync 0;
            add.s32 %r5, %r5, 16; setp.lt.s32 %p2, %r5, 96; @%p2 bra LOOP;
            st.global.b32 [%rd3], %r6;
            """, threads: 96);
        Assert.Equal((80u, 80u), (_rig.Words[0], _rig.Words[95]));
    }

    [Theory]
    [InlineData("cp.async.commit_group; cp.async.wait_group 0;")]
    [InlineData("cp.async.commit_group; cp.async.commit_group; cp.async.wait_group 1;")]
    [InlineData("cp.async.wait_all;")]
    public void A_copy_arrives_when_it_is_waited_for(string wait)
    {
        _rig.With<int>([.. Enumerable.Range(100, 128)]).Run(Copy + wait + Take);
        Assert.Equal((100u, 227u), (_rig.Words[0], _rig.Words[127]));
        _rig.Run(Copy + wait + "bar.sync 0;" + TakeOther);
        Assert.Equal((104u, 100u), (_rig.Words[0], _rig.Words[4]));
    }

    [Theory]
    [InlineData(Copy + Take)]
    [InlineData(Copy + "cp.async.wait_group 0;" + Take)] // not committed
    [InlineData(Copy + "cp.async.commit_group; cp.async.wait_group 1;" + Take)]
    [InlineData(Copy + "cp.async.commit_group; bar.sync 0;" + TakeOther)]
    [InlineData(Copy + "st.shared.b32 [%r6], %r0;")]
    [InlineData(Copy + "cp.async.cg.shared.global [%r6], [%rd6], 16;")]
    public void The_target_of_a_copy_may_not_be_touched(string body)
    {
        var fault = _rig.With<int>([.. Enumerable.Range(0, 128)]).Fails(PtxFaultKind.PendingCopy, body);
        Assert.Contains("the target of a copy that nobody has waited for", fault.Message);
    }

    [Theory]
    [InlineData(Copy + "cp.async.wait_all;" + TakeOther)]
    [InlineData("shl.b32 %r5, %r0, 4; xor.b32 %r7, %r5, 16; add.s32 %r7, %r7, %r3; "
        + "st.shared.v4.b32 [%r7], {%r0,%r0,%r0,%r0};" + Copy)] // over what others wrote
    public void A_wait_is_no_barrier(string body) => _rig.With<int>([.. Enumerable.Range(0, 128)]).Fails(PtxFaultKind.SharedRace, body);

    [Fact]
    public void A_copy_reads_only_what_it_should()
    {
        _rig.With<uint>([1, 2, 3, 4]);
        const string To = "shl.b32 %r5, %r0, 4; add.s32 %r6, %r3, %r5; mul.wide.u32 %rd5, %r0, 16; ";
        _rig.Run(To + "cp.async.ca.shared.global [%r6], [%rd1], 16, 8; cp.async.wait_all;" + Take, threads: 1);
        Assert.Equal([1u, 2u, 0u, 0u], _rig.Words[..4].ToArray());
        _rig.Run(To + "mov.b32 %r7, 0; cp.async.cg.shared.global [%r6], [%rd1+4096], 16, %r7; cp.async.wait_all;" + Take, threads: 1);
        Assert.Equal([0u, 0u, 0u, 0u], _rig.Words[..4].ToArray());
        _rig.Fails(PtxFaultKind.OutOfBounds, To + "cp.async.cg.shared.global [%r6], [%rd1+16], 16;", threads: 1);
        _rig.Fails(PtxFaultKind.Misaligned, To + "cp.async.cg.shared.global [%r6+4], [%rd1], 16;", threads: 1);
        _rig.Fails(PtxFaultKind.UnwrittenGlobal, To + "cp.async.cg.shared.global [%r6], [%rd0+256], 16;", threads: 1);
    }
}
