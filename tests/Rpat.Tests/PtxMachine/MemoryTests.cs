using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

/// <summary>Global and shared memory: what is found there, and the same kernels mended.</summary>
public sealed class MemoryTests : IDisposable
{
    private readonly PtxRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void A_store_behind_a_buffer_fails()
    {
        var fault = _rig.Fails(PtxFaultKind.OutOfBounds, "\nst.global.b32 [%rd3+4092], %r0;");
        Assert.Contains("Kernel kernel, line ", fault.Message);
        Assert.Contains("'st.global.b32 [%rd3+4092], %r0', group (0, 0, 0), thread (1, 0, 0): accesses 4 bytes at ", fault.Message);
        Assert.EndsWith("outside every buffer (byte 4096 of results, which has 4096 bytes).", fault.Message);
        _rig.Run("st.global.b32 [%rd3+3968], %r0;");
    }

    [Fact]
    public void A_load_before_a_buffer_fails() =>
        _rig.With(1, 2).Fails(PtxFaultKind.OutOfBounds, "ld.global.b32 %r5, [%rd1+-4];", threads: 1);

    [Fact]
    public void An_access_across_the_end_fails()
    {
        _rig.Fails(PtxFaultKind.OutOfBounds, "st.global.v4.b32 [%rd0+4088], {%r0,%r0,%r0,%r0};", threads: 1);
        _rig.Run("st.global.v4.b32 [%rd0+4080], {%r0,%r0,%r0,%r0};", threads: 1);
    }

    [Fact]
    public void A_buffer_that_is_gone_fails()
    {
        _rig.Memory.Unregister(_rig.Results);
        Assert.Contains("there are no buffers", _rig.Fails(PtxFaultKind.OutOfBounds, "st.global.b32 [%rd3], %r0;").Message);
    }

    [Theory]
    [InlineData("st.global.v4.b32 [%rd0+8], {%r0,%r0,%r0,%r0};", "st.global.v2.b32 [%rd0+8], {%r0,%r0};")]
    [InlineData("st.global.b64 [%rd0+4], %rd2;", "st.global.b64 [%rd0+8], %rd2;")]
    [InlineData("st.global.b16 [%rd0+1], %r0;", "st.global.b16 [%rd0+2], %r0;")]
    [InlineData("st.shared.v2.b32 [%r3+4], {%r0,%r0};", "st.shared.v2.b32 [%r3+8], {%r0,%r0};")]
    public void A_misaligned_access_fails(string wrong, string right)
    {
        Assert.Contains("which is no multiple of", _rig.Fails(PtxFaultKind.Misaligned, wrong, threads: 1).Message);
        _rig.Run(right, threads: 1);
    }

    /// <summary>An array that asks for four bytes gets no more, so that vectors that rely on luck fail.</summary>
    [Fact]
    public void An_array_is_aligned_as_it_asks()
    {
        const string Body = ".shared .align {0} .b8 mine[64]; mov.u32 %r5, mine; st.shared.v2.b32 [%r5], {%r0, %r0};";
        _rig.Fails(PtxFaultKind.Misaligned, Body.Put("4"), threads: 1);
        _rig.Run(Body.Put("8"), threads: 1);
    }

    [Fact]
    public void Fresh_memory_may_not_be_read()
    {
        var fault = _rig.Fails(PtxFaultKind.UnwrittenGlobal, "st.global.b32 [%rd3], %r0; ld.global.b32 %r5, [%rd3+4];");
        Assert.Contains("thread (31, 0, 0): reads byte 128 of results, where nothing has been written", fault.Message);
        _rig.Run("st.global.b32 [%rd3], %r0; ld.global.b32 %r5, [%rd3];");
        _rig.Memory.MarkWritten(_rig.Results + 128, 4);
        _rig.Run("ld.global.b32 %r5, [%rd3+4];");
    }

    [Fact]
    public void What_one_launch_wrote_the_next_may_read_and_write()
    {
        for (int launch = 0; launch < 3; launch++) _rig.Run("xor.b32 %r5, %r1, 1; mul.wide.u32 %rd5, %r5, 4; "
            + "add.s64 %rd5, %rd0, %rd5; st.global.b32 [%rd5], %r1;", groups: 2, threads: 1);
        _rig.Run("mul.wide.u32 %rd5, %r1, 4; add.s64 %rd5, %rd0, %rd5; ld.global.b32 %r5, [%rd5]; "
            + "st.global.b32 [%rd5], %r5;", groups: 2, threads: 1);
        Assert.Equal((1u, 0u), (_rig.Words[0], _rig.Words[1]));
    }

    [Theory]
    [InlineData("st.global.b32 [%rd3], %r0;", "writes byte 0 of results, which group (0, 0, 0) of the same launch wrote")]
    [InlineData("setp.eq.s32 %p1, %r1, 0; @%p1 st.global.b32 [%rd3], %r0; "
        + "@!%p1 ld.global.b32 %r5, [%rd3];", "reads byte 0 of results, which group (0, 0, 0) of the same launch wrote")]
    [InlineData("setp.eq.s32 %p1, %r1, 0; @%p1 ld.global.b32 %r5, [%rd3]; "
        + "@!%p1 st.global.b32 [%rd3], %r0;", "writes byte 0 of results, which group (0, 0, 0) of the same launch read")]
    [InlineData("ld.global.b32 %r5, [%rd3]; setp.eq.s32 %p1, %r1, 2; "
        + "@%p1 st.global.b32 [%rd3], %r0;", "writes byte 0 of results, which several groups of the same launch read")]
    public void Groups_that_meet_in_a_word_fail(string body, string words)
    {
        _rig.Memory.MarkWritten(_rig.Results, 4096);
        _rig.Options = new MachineOptions { MaxThreads = 1 };
        Assert.Contains(words, _rig.Fails(PtxFaultKind.GlobalRace, body, groups: 3).Message);
        _rig.Options = new MachineOptions { MaxThreads = 4 };
        _rig.Fails(PtxFaultKind.GlobalRace, body, groups: 3);
        _rig.Run("mul.wide.u32 %rd5, %r1, 128; add.s64 %rd3, %rd3, %rd5; " + body, groups: 3);
    }

    [Fact]
    public void Groups_may_read_one_word() => _rig.With(5).Run("ld.global.b32 %r5, [%rd1];", groups: 20);

    [Fact]
    public void Atomic_operations_may_meet()
    {
        _rig.Memory.MarkWritten(_rig.Results, 64);
        _rig.Words[..16].Clear();
        _rig.Run("""
            atom.global.add.u32 %r5, [%rd0], 1; red.global.max.s32 [%rd0+4], %r0; red.global.add.f32 [%rd0+8], 0f3F800000;
            red.global.xor.b32 [%rd0+12], 1;
            atom.global.cas.b32 %r6, [%rd0+16], %r0, 77; atom.global.exch.b32 %r7, [%rd0+20], %r0; red.global.add.u64 [%rd0+24], %rd2;
            """, groups: 3);
        Assert.Equal([96u, 31u, BitConverter.SingleToUInt32Bits(96), 0u, 77u, 31u, 3u * 4 * 496], _rig.Words[..7].ToArray());
    }

    [Fact]
    public void Vectors_and_narrow_types_move_whole()
    {
        _rig.With<byte>([0xFE, 0x80, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).Run("""
            ld.global.s8 %r5, [%rd1]; ld.global.u8 %r6, [%rd1]; ld.global.s16 %r7, [%rd1]; ld.global.b64 %rd5, [%rd1+8];
            st.global.v4.b32 [%rd0], {%r5, %r6, %r7, %r7}; st.global.v2.b64 [%rd0+16], {%rd5, %rd5};
            st.global.b8 [%rd0+32], %r6; st.global.b8 [%rd0+33], 1; st.global.b16 [%rd0+34], %r5;
            """, threads: 1);
        uint low = 0x0C0B0A09, high = 0x100F0E0D;
        Assert.Equal([0xFFFFFFFE, 0xFE, 0xFFFF80FE, 0xFFFF80FE, low, high, low, high, 0xFFFE01FE], _rig.Words[..9].ToArray());
    }

    [Fact]
    public void Shared_memory_is_fresh_in_every_group()
    {
        var fault = _rig.Fails(PtxFaultKind.UnwrittenShared, "setp.eq.s32 %p1, %r1, 0; @%p1 st.shared.b32 [%r4], %r0; bar.sync 0; "
            + "ld.shared.b32 %r5, [%r4];", groups: 2);
        Assert.Contains("group (1, 0, 0), thread (0, 0, 0): reads byte 0 of the 4096 bytes of s, which no thread has", fault.Message);
        _rig.Run("st.shared.b32 [%r4], %r0; bar.sync 0; ld.shared.b32 %r5, [%r4];", groups: 2);
    }

    [Fact]
    public void Shared_memory_ends()
    {
        var fault = _rig.Fails(PtxFaultKind.OutOfBounds, "st.shared.b32 [%r4+3972], %r0;");
        Assert.Contains("accesses 4 bytes at byte 4096 of shared memory, which has 4096 bytes", fault.Message);
        _rig.Fails(PtxFaultKind.OutOfBounds, "mov.u32 %r5, __dyn_shared_alloca; "
            + "st.shared.b32 [%r5+128], %r0;", threads: 1, dynamicBytes: 128);
        _rig.Run("mov.u32 %r5, __dyn_shared_alloca; st.shared.b32 [%r5+124], %r0;", threads: 1, dynamicBytes: 128);
    }

    [Theory]
    [InlineData("st.shared.b32 [%r4], %r0; {0} xor.b32 %r5, %r2, 4; add.s32 %r5, %r5, %r3; "
        + "ld.shared.b32 %r6, [%r5];", 32,
        "thread (0, 0, 0): reads byte 4 of the 4096 bytes of s, which thread (1, 0, 0) wrote since the last barrier")]
    [InlineData("st.shared.b32 [%r4], %r0; bar.sync 0; st.shared.b32 [%r4], %r0; {0} xor.b32 %r5, %r2, 128; add.s32 %r5, %r5, %r3; "
        + "ld.shared.b32 %r6, [%r5];", 64, "thread (32, 0, 0): writes byte 128 of the 4096 bytes of s, which thread (0, 0, 0) read")]
    [InlineData("st.shared.b32 [%r4], %r0; bar.sync 0; xor.b32 %r5, %r2, 4; add.s32 %r5, %r5, %r3; ld.shared.b32 %r6, [%r5]; "
        + "{0} st.shared.b32 [%r4], %r0;", 32, "thread (0, 0, 0): writes byte 0 of the 4096 bytes of s, which thread (1, 0, 0) read")]
    [InlineData("st.shared.b32 [%r4], %r0; bar.sync 0; ld.shared.b32 %r6, [%r3]; {0} setp.eq.s32 %p1, %r0, 9; "
        + "@%p1 st.shared.b32 [%r3], %r0;", 32, "which other threads read")]
    public void Threads_that_meet_without_a_barrier_race(string body, int threads, string words)
    {
        Assert.Contains(words, _rig.Fails(PtxFaultKind.SharedRace, body.Put(""), threads: threads).Message);
        _rig.Run(body.Put("bar.sync 0;"), threads: threads);
    }

    [Fact]
    public void Two_writers_of_one_word_race()
    {
        _rig.Fails(PtxFaultKind.SharedRace, "st.shared.b32 [%r3], %r0;");
        _rig.Run("setp.eq.s32 %p1, %r0, 3; @%p1 st.shared.b32 [%r3], %r0;");
    }

    [Fact]
    public void A_barrier_of_a_warp_orders_its_warp_only()
    {
        const string Body = "st.shared.b32 [%r4], 0; bar.sync 0; st.shared.b32 [%r4], %r0; bar.warp.sync -1; xor.b32 %r5, %r2, {0}; "
            + "add.s32 %r5, %r5, %r3; ld.shared.b32 %r6, [%r5];";
        _rig.Run(Body.Put("4"), threads: 64);
        _rig.Fails(PtxFaultKind.SharedRace, Body.Put("128"), threads: 64);
    }

    [Fact]
    public void Atomic_and_plain_accesses_race()
    {
        const string Begin = "setp.eq.s32 %p1, %r0, 0; @%p1 st.shared.b32 [%r3], 0; bar.sync 0; atom.shared.add.u32 %r5, [%r3], 2; ";
        Assert.Contains("changed atomically", _rig.Fails(PtxFaultKind.SharedRace, Begin + "ld.shared.b32 %r6, [%r3];").Message);
        _rig.Run(Begin + "bar.sync 0; ld.shared.b32 %r6, [%r3]; st.global.b32 [%rd3], %r6;");
        Assert.Equal(64u, _rig.Words[5]);
    }

    [Fact]
    public void Buffers_may_not_overlap_and_must_be_there()
    {
        Assert.Throws<ArgumentException>(() => _rig.Memory.Register(_rig.Results + 64, 8, "other"));
        Assert.Throws<ArgumentException>(() => _rig.Memory.Register(_rig.Results - 64, 128, "other"));
        Assert.Throws<ArgumentException>(() => _rig.Memory.Unregister(_rig.Results + 4));
        Assert.Throws<ArgumentException>(() => _rig.Memory.MarkWritten(_rig.Results + 4092, 8));
    }
}
