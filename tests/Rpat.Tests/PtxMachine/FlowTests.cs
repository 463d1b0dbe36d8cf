using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

/// <summary>Threads of a warp that part and come together again.</summary>
public sealed class FlowTests : IDisposable
{
    private readonly PtxRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Nested_branches_meet_again()
    {
        var report = _rig.Run("""
            mov.b32 %r5, 0;
            and.b32 %r6, %r0, 1; setp.eq.s32 %p1, %r6, 0; and.b32 %r7, %r0, 2; setp.eq.s32 %p2, %r7, 0;
            @%p1 bra EVEN;
            add.s32 %r5, %r5, 1;
            @%p2 bra ODD;
            add.s32 %r5, %r5, 10;
            ODD: bra.uni JOIN;
            EVEN: add.s32 %r5, %r5, 100;
            JOIN: xor.b32 %r5, %r5, 4096;
            st.global.b32 [%rd3], %r5;
            """);
        for (int thread = 0; thread < 32; thread++)
            Assert.Equal(4096u ^ (thread % 2 == 0 ? 100u : thread / 2 % 2 == 0 ? 1u : 11u), _rig.Words[thread]);
        Assert.Equal(32, report.Instructions.Single(i => i.Operation == "xor").Threads);
        var even = report.Instructions.Single(i => i.Text == "add.s32 %r5, %r5, 100");
        Assert.Equal((1, 16), (even.Executed, even.Threads));
        Assert.True(report.LaneEfficiency is > 0.5 and < 1);
    }

    [Fact]
    public void Loops_run_as_often_as_each_thread_wants()
    {
        var report = _rig.Run("""
            mov.b32 %r5, 0; mov.b32 %r6, 0;
            LOOP: setp.ge.s32 %p1, %r6, %r0;
            @%p1 bra END;
            add.s32 %r6, %r6, 1;
            add.s32 %r5, %r5, %r6;
            bra.uni LOOP;
            END: or.b32 %r5, %r5, 0;
            st.global.b32 [%rd3], %r5;
            """);
        for (uint thread = 0; thread < 32; thread++) Assert.Equal(thread * (thread + 1) / 2, _rig.Words[(int)thread]);
        Assert.Equal((1, 32), report.Instructions.Where(i => i.Operation == "or").Select(i => (i.Executed, i.Threads)).Single());
        var step = report.Instructions.Single(i => i.Text == "add.s32 %r6, %r6, 1");
        Assert.Equal((31, 496), (step.Executed, step.Threads));
    }

    [Fact]
    public void A_loop_may_be_left_in_its_middle()
    {
        _rig.Run("""
            mov.b32 %r5, 0; mov.b32 %r6, 0;
            LOOP: add.s32 %r6, %r6, 1;
            mul.lo.s32 %r7, %r6, %r6; setp.gt.s32 %p1, %r7, %r0;
            @%p1 bra FOUND;
            setp.lt.s32 %p2, %r6, 4;
            @%p2 bra LOOP;
            mov.b32 %r5, 1000;
            bra END;
            FOUND: mov.b32 %r5, %r6;
            END: st.global.b32 [%rd3], %r5;
            """);
        for (int thread = 0; thread < 32; thread++)
            Assert.Equal(thread < 16 ? (uint)Math.Floor(Math.Sqrt(thread)) + 1 : 1000, _rig.Words[thread]);
    }

    [Fact]
    public void Threads_that_end_early_are_not_waited_for()
    {
        _rig.Run("setp.lt.s32 %p1, %r0, 5; @%p1 ret; setp.lt.s32 %p2, %r0, 9; @%p2 bra A; mov.b32 %r5, 1; bra B; A: mov.b32 %r5, 2; "
            + "ret; B: st.global.b32 [%rd3], %r5;");
        Assert.Equal(1u, _rig.Words[9]);
    }

    [Fact]
    public void A_uniform_branch_whose_threads_differ_fails()
    {
        const string Branch = "setp.lt.s32 %p1, {0}, 7; @%p1 bra.uni THERE; THERE:";
        var fault = _rig.Fails(PtxFaultKind.NonUniformBranch, Branch.Put("%r0"));
        Assert.Contains("thread (0, 0, 0): takes a branch marked uniform that thread (7, 0, 0) of its warp does not take", fault.Message);
        _rig.Run(Branch.Put("%r1"), groups: 9);
    }

    [Fact]
    public void Warps_may_take_uniform_branches_differently() => _rig.Run("setp.lt.s32 %p1, %r0, 32; @%p1 bra.uni THERE; "
        + "add.s32 %r5, %r0, 1; THERE:", threads: 64);

    [Fact]
    public void A_loop_that_does_not_end_fails()
    {
        _rig.Options = new MachineOptions { InstructionBudget = 1000 };
        var fault = _rig.Fails(PtxFaultKind.Budget, "mov.b32 %r5, 0; LOOP: add.s32 %r5, %r5, 1; setp.ne.s32 %p1, %r5, 0; @%p1 bra LOOP;");
        Assert.Contains("executed 1000 instructions and has not ended", fault.Message);
        _rig.Run("mov.b32 %r5, 0; LOOP: add.s32 %r5, %r5, 1; setp.ne.s32 %p1, %r5, 300; @%p1 bra LOOP;");
    }

    [Theory]
    [InlineData("add.s32 %r5, %r6, 1;", "%r6")]
    [InlineData("setp.lt.s32 %p1, %r0, 4; @%p1 mov.b32 %r6, 1; add.s32 %r5, %r0, %r6;", "%r6")]
    [InlineData("@%p3 bra THERE; THERE:", "%p3")]
    [InlineData("mov.f32 %f1, 0f00000000; st.global.v2.f32 [%rd0], {%f1, %f2};", "%f2")]
    [InlineData("{ .reg .b32 x; mov.b32 x, 1; } { .reg .b32 x; add.s32 %r5, x, 1; }", "x")]
    public void A_register_that_is_not_written_fails(string body, string register) =>
        Assert.Contains($"register {register} is read before it is written", _rig.Fails(PtxFaultKind.UnwrittenRegister, body).Message);

    [Fact]
    public void A_register_that_all_its_readers_wrote_is_good() =>
        _rig.Run("setp.lt.s32 %p1, %r0, 4; @%p1 mov.b32 %r6, 1; @%p1 add.s32 %r5, %r0, %r6; { .reg .b32 x; mov.b32 x, 1; "
            + "add.s32 %r5, x, 1; }");

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Threads_of_the_host_change_nothing(int threads)
    {
        _rig.Options = new MachineOptions { MaxThreads = threads };
        var report = _rig.Run("mul.wide.u32 %rd5, %r1, 128; add.s64 %rd3, %rd3, %rd5; mad.lo.s32 %r5, %r1, 1000, %r0; "
            + "st.global.b32 [%rd3], %r5;", groups: 30);
        for (uint i = 0; i < 960; i++) Assert.Equal(i / 32 * 1000 + i % 32, _rig.Words[(int)i]);
        Assert.Equal(30, report.Executed["st"]);
        Assert.Equal(1, _rig.Fails(PtxFaultKind.OutOfBounds, "setp.eq.s32 %p1, %r1, 0; @%p1 ret; "
            + "st.global.b32 [%rd0+4096], %r0;", groups: 30).Group.X);
    }

    [Fact]
    public void A_launch_that_does_not_fit_is_refused()
    {
        Assert.Contains("at most 1024 threads", Assert.Throws<ArgumentException>(() => _rig.Run("", threads: 1025)).Message);
        Assert.Contains("at least one group", Assert.Throws<ArgumentException>(() => _rig.Run("", groups: 0)).Message);
        Assert.Contains("at most 232448", Assert.Throws<ArgumentException>(() => _rig.Run("", dynamicBytes: 230000)).Message);
        var program = PtxRig.Program("");
        Assert.Equal((16, 4096), (program.ParameterBytes, program.StaticSharedBytes));
        var machine = new Machine(_rig.Memory);
        var refused = Assert.Throws<ArgumentException>(() => machine.Launch(program, new byte[8], new(1, 1, 1, 1, 1, 1, 0)));
        Assert.Contains("takes 16 bytes of parameters, not 8", refused.Message);
    }
}
