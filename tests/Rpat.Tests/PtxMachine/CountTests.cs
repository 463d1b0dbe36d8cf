using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

/// <summary>Counts: instructions, bank conflicts, sectors; and what the audit of a text finds.</summary>
public sealed class CountTests : IDisposable
{
    private readonly PtxRig _rig = new();

    public void Dispose() => _rig.Dispose();

    /// <summary>Words between the threads, words of an access, passes that it needs, and those beyond.</summary>
    [Theory]
    [InlineData(1, 1, 1, 0)]
    [InlineData(2, 1, 1, 1)]
    [InlineData(3, 1, 1, 0)]
    [InlineData(32, 1, 1, 31)]
    [InlineData(33, 1, 1, 0)]
    [InlineData(2, 2, 2, 0)]
    [InlineData(4, 2, 2, 2)]
    [InlineData(4, 4, 4, 0)] // neighbours: four passes of eight threads
    [InlineData(8, 4, 4, 4)]
    [InlineData(20, 4, 4, 0)]
    [InlineData(32, 4, 4, 28)]
    public void Strides_take_known_passes(int stride, int width, int passes, int extra)
    {
        string registers = string.Join(',', Enumerable.Repeat("%r0", width));
        string store = width == 1 ? "st.shared.b32 [%r5], %r0;" : $"st.shared.v{width}.b32 [%r5], {{{registers}}};";
        var report = _rig.Run($"mul.lo.s32 %r5, %r0, {4 * stride}; mov.u32 %r6, __dyn_shared_alloca; add.s32 %r5, %r5, %r6; "
            + $"{store}", dynamicBytes: 4608);
        Assert.Equal((passes, extra), (report.SharedAccesses, report.SharedConflicts));
        var hot = report.Hot(1, i => i.SharedAccesses)[0];
        Assert.Equal((store.TrimEnd(';'), (long)extra), (hot.Text, hot.SharedConflicts));
    }

    [Fact]
    public void One_word_serves_all_and_absent_threads_take_no_pass()
    {
        var report = _rig.Run("setp.eq.s32 %p1, %r0, 0; @%p1 st.shared.b32 [%r3], 0; bar.sync 0; ld.shared.b32 %r5, [%r3]; "
            + "setp.lt.s32 %p2, %r0, 8; shl.b32 %r6, %r0, 4; add.s32 %r6, %r6, %r3; bar.sync 0; "
            + "@%p2 st.shared.v4.b32 [%r6], {%r0,%r0,%r0,%r0};");
        Assert.Equal((3, 0), (report.SharedAccesses, report.SharedConflicts));
    }

    [Theory]
    [InlineData(4, 4, 4, 4)]
    [InlineData(8, 4, 8, 4)]
    [InlineData(128, 4, 32, 4)]
    [InlineData(0, 4, 1, 1)]
    [InlineData(16, 16, 16, 16)]
    [InlineData(-4, 4, 4, 4)]
    public void Sectors_of_global_memory(int stride, int width, int sectors, int ideal)
    {
        string load = width == 4 ? "ld.global.b32 %r6, [%rd6];" : "ld.global.v4.b32 {%r6,%r7,%r8,%r9}, [%rd6];";
        var report = _rig.With<byte>(new byte[4096]).Run($"mul.wide.s32 %rd5, %r0, {stride}; add.s64 %rd6, %rd1, %rd5; "
            + $"{(stride < 0 ? "add.s64 %rd6, %rd6, 124;" : "")} {load}");
        Assert.Equal((sectors, ideal), (report.GlobalSectors, report.GlobalIdealSectors));
    }

    [Fact]
    public void Instructions_are_counted_per_warp()
    {
        var report = _rig.Run("mov.b32 %r5, 0; LOOP: add.s32 %r5, %r5, 1; setp.lt.s32 %p1, %r5, 10; "
            + "@%p1 bra LOOP;", groups: 2, threads: 64);
        Assert.Equal((40, 40), (report.Executed["setp"], report.Executed["bra"]));
        Assert.Equal(report.WarpInstructions * 32, report.ThreadInstructions);
        Assert.Equal(1, report.LaneEfficiency);
        Assert.Equal(40, report.Hot(1)[0].Executed);
    }

    [Fact]
    public void Counting_can_be_left_out()
    {
        _rig.Options = new MachineOptions { CountTraffic = false };
        var report = _rig.Run("st.shared.b32 [%r4], %r0; st.global.b32 [%rd3], %r0;");
        Assert.Equal((0, 0, 2), (report.SharedAccesses, report.GlobalSectors, report.Executed["st"]));
    }

    [Theory]
    [InlineData("selp.b64 %fd1, 0d0000000000000001, 0d0000000000000000, %p1;", "denormal")]
    [InlineData("mov.f32 %f1, 0f807FFFFF;", "denormal")]
    [InlineData("mov.f32 %f1, 0f00800000;", null)]
    [InlineData("mov.f64 %fd1, 0d8000000000000000;", null)]
    [InlineData("call.uni (r), f, (p);", "instead of inlined")]
    [InlineData(".local .align 4 .b8 depot[16];", "local memory")]
    [InlineData("st.local.b32 [%rd1], %r1;", "local memory")]
    [InlineData("ld.f32 %f1, [%rd1];", "address space")]
    [InlineData("ld.global.v4.f32 {%f1,%f2,%f3,%f4}, [%rd1];", null)]
    [InlineData("copysign.f32 %f1, %f2, %f3;", "the sign comes from")]
    [InlineData("mov.u64 %rd1, %globaltimer;", "clock")]
    [InlineData("trap;", "stops")]
    public void The_audit_finds_what_should_not_be_there(string line, string? why)
    {
        var findings = PtxAudit.Forbidden("kernel", $".visible .entry kernel()\n{{\n{line}\nret;\n}}");
        Assert.Equal(why is null ? [] : [3], findings.Select(finding => finding.Line));
        Assert.All(findings, finding => Assert.Contains(why!, finding.Why));
    }

    [Fact]
    public void The_audit_finds_divisions_in_loops()
    {
        var found = PtxAudit.LoopDivisions("kernel", """
            .visible .entry kernel()
            {
            div.s32 %r1, %r2, 3;
            OUTER: rem.s32 %r1, %r2, 4;
            INNER: rem.u32 %r1, %r2, 5; div.rn.f32 %f1, %f2, %f3;
            @%p1 bra INNER;
            @%p2 bra OUTER;
            rem.s32 %r1, %r2, 6;
            ret;
            }
            """);
        Assert.Equal([(4, "OUTER"), (5, "INNER")], found.Select(division => (division.Line, division.Loop)));
    }
}
