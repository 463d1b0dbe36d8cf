using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

/// <summary>Arithmetic, bits and conversions against results that were worked out from the PTX ISA.</summary>
public sealed class ArithmeticTests : IDisposable
{
    private const uint NaN = 0x7FFFFFFF, QuietNaN = 0x7FC00000, One = 0x3F800000, Infinity = 0x7F800000, Minus0 = 0x80000000;
    private const ulong NaN64 = 0x7FF8000000000000;

    private readonly PtxRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("add.f32", 0x4B800000, One, 0x4B800000)] // 2²⁴ + 1: tie to even
    [InlineData("add.rn.f32", 0x4B800001, One, 0x4B800002)] // 2²⁴ + 2 + 1
    [InlineData("sub.f32", Infinity, Infinity, NaN)]
    [InlineData("mul.f32", 0x00000001, 0x3F000000, 0)] // half of the least denormal
    [InlineData("mul.f32", 0x00800000, 0x3F000000, 0x00400000)] // denormals stay
    [InlineData("div.rn.f32", One, 0x40400000, 0x3EAAAAAB)]
    [InlineData("div.rn.f32", One, Minus0, 0xFF800000)]
    [InlineData("min.f32", QuietNaN, One, One)]
    [InlineData("max.f32", One, QuietNaN, One)]
    [InlineData("min.f32", QuietNaN, QuietNaN, NaN)]
    [InlineData("max.NaN.f32", One, QuietNaN, NaN)]
    [InlineData("min.f32", 0, Minus0, Minus0)]
    [InlineData("max.f32", Minus0, 0, 0)]
    [InlineData("add.s32", 0x7FFFFFFF, 1, 0x80000000)]
    [InlineData("mul.lo.s32", 0x10001, 0x10001, 0x20001)]
    [InlineData("mul.hi.s32", 0xFFFFFFFF, 2, 0xFFFFFFFF)]
    [InlineData("mul.hi.u32", 0xFFFFFFFF, 2, 1)]
    [InlineData("div.s32", 0xFFFFFFF9, 2, 0xFFFFFFFD)] // −7 / 2 = −3
    [InlineData("rem.s32", 0xFFFFFFF9, 2, 0xFFFFFFFF)]
    [InlineData("div.s32", 0x80000000, 0xFFFFFFFF, 0x80000000)]
    [InlineData("div.u32", 7, 0, 0xFFFFFFFF)]
    [InlineData("rem.u32", 7, 0, 7)]
    [InlineData("min.s32", 0xFFFFFFFF, 1, 0xFFFFFFFF)]
    [InlineData("min.u32", 0xFFFFFFFF, 1, 1)]
    [InlineData("shl.b32", 1, 31, 0x80000000)]
    [InlineData("shl.b32", 1, 32, 0)]
    [InlineData("shr.u32", 0x80000000, 32, 0)]
    [InlineData("shr.s32", 0x80000000, 32, 0xFFFFFFFF)]
    [InlineData("shr.s32", 0x80000000, 0x80000001, 0xFFFFFFFF)]
    [InlineData("xor.b32", 0xF0F0, 0xFF00, 0x0FF0)]
    [InlineData("cvt.rn.bf16x2.f32", 0x3F808000, 0x3F818000, 0x3F803F82)] // halves to even, the first operand above
    [InlineData("cvt.rn.bf16x2.f32", QuietNaN, 0x7F7FFFFF, 0x7FFF7F80)]
    [InlineData("cvt.rn.relu.bf16x2.f32", 0x3F818000, 0xBF800000, 0x3F820000)]
    [InlineData("cvt.rn.relu.bf16x2.f32", QuietNaN, 0xFF800000, 0x7FFF0000)]
    public void Of_two_words(string operation, uint a, uint b, uint expected)
    {
        _rig.With(a, b).Run($"ld.global.b32 %r5, [%rd1]; ld.global.b32 %r6, [%rd1+4]; {operation} %r7, %r5, %r6; "
            + $"st.global.b32 [%rd3], %r7;");
        Assert.Equal(expected, _rig.Words[31]);
    }

    [Theory]
    [InlineData("fma.rn.f32", 0x3F800001, 0x3F800001, 0xBF800002, 0x28800000)] // (1 + ε)² − (1 + 2ε) = ε²
    [InlineData("mad.lo.s32", 3, 5, 0xFFFFFFF0, 0xFFFFFFFF)]
    [InlineData("mad.hi.u32", 0x80000000, 4, 1, 3)]
    [InlineData("prmt.b32", 0x33221100, 0x77665544, 0x7421, 0x77442211)]
    [InlineData("prmt.b32", 0x00008000, 0, 0x0091, 0x0000FF80)] // byte 1, and its sign
    [InlineData("bfe.u32", 0xABCD1234, 8, 8, 0x12)]
    [InlineData("bfe.s32", 0x0000F000, 12, 4, 0xFFFFFFFF)]
    [InlineData("bfe.s32", 0x80000000, 28, 8, 0xFFFFFFF8)] // past the end: the sign
    [InlineData("shf.l.wrap.b32", 0x80000001, 0x00000002, 33, 0x00000005)]
    [InlineData("shf.l.clamp.b32", 0x80000001, 0x00000002, 33, 0x80000001)]
    [InlineData("shf.r.wrap.b32", 0x80000000, 0x00000003, 4, 0x38000000)]
    [InlineData("shf.r.clamp.b32", 0x80000000, 0x00000003, 40, 0x00000003)]
    public void Of_three_words(string operation, uint a, uint b, uint c, uint expected)
    {
        _rig.With(a, b, c).Run("ld.global.b32 %r5, [%rd1]; ld.global.b32 %r6, [%rd1+4]; ld.global.b32 %r7, [%rd1+8]; "
            + $"{operation} %r8, %r5, %r6, %r7; st.global.b32 [%rd3], %r8;");
        Assert.Equal(expected, _rig.Words[0]);
    }

    [Theory]
    [InlineData("bfi.b32", 0xFFFFFFFF, 0, 4, 8, 0x00000FF0)]
    [InlineData("lop3.b32", 0xF0F0F0F0, 0xCCCCCCCC, 0xAAAAAAAA, 0xE8, 0xE8E8E8E8)] // the majority
    public void Of_four_words(string operation, uint a, uint b, uint c, uint d, uint expected)
    {
        _rig.Run($"mov.b32 %r5, {a}; mov.b32 %r6, {b}; mov.b32 %r7, {c}; {operation} %r8, %r5, %r6, %r7, {d}; st.global.b32 [%rd3], %r8;");
        Assert.Equal(expected, _rig.Words[0]);
    }

    [Theory]
    [InlineData("neg.f32", 0, Minus0)]
    [InlineData("abs.f32", 0xBF800000, One)]
    [InlineData("neg.s32", 1, 0xFFFFFFFF)]
    [InlineData("sqrt.rn.f32", 0x40000000, 0x3FB504F3)]
    [InlineData("sqrt.approx.f32", 0xBF800000, NaN)]
    [InlineData("rcp.rn.f32", 0x40400000, 0x3EAAAAAB)]
    [InlineData("rsqrt.approx.f32", 0x40800000, 0x3F000000)]
    [InlineData("ex2.approx.f32", 0x3F000000, 0x3FB504F3)]
    [InlineData("lg2.approx.f32", 0x41000000, 0x40400000)]
    [InlineData("cos.approx.f32", 0, One)]
    [InlineData("sin.approx.f32", Minus0, Minus0)]
    [InlineData("popc.b32", 0xF0F00001, 9)]
    [InlineData("clz.b32", 0x00010000, 15)]
    [InlineData("brev.b32", 0x00000003, 0xC0000000)]
    [InlineData("not.b32", 0x0000FFFF, 0xFFFF0000)]
    [InlineData("cvt.rna.tf32.f32", 0x3F801000, 0x3F802000)] // halves away from zero
    [InlineData("cvt.rna.tf32.f32", 0xBF800FFF, 0xBF800000)]
    [InlineData("cvt.rna.tf32.f32", 0xFF800000, 0xFF800000)]
    [InlineData("cvt.rna.tf32.f32", QuietNaN, NaN)]
    [InlineData("cvt.rn.tf32.f32", 0x3F801000, 0x3F800000)] // halves to even
    [InlineData("cvt.rn.f32.s32", 0x01000001, 0x4B800000)]
    [InlineData("cvt.rp.f32.s32", 0x01000001, 0x4B800001)]
    [InlineData("cvt.rz.f32.s32", 0xFEFFFFFF, 0xCB800000)]
    [InlineData("cvt.rm.f32.s32", 0xFEFFFFFF, 0xCB800001)]
    [InlineData("cvt.rn.f32.u32", 0xFFFFFFFF, 0x4F800000)]
    [InlineData("cvt.rz.f32.u32", 0xFFFFFFFF, 0x4F7FFFFF)]
    [InlineData("cvt.rzi.s32.f32", 0xC0200000, 0xFFFFFFFE)] // −2.5
    [InlineData("cvt.rni.s32.f32", 0xC0200000, 0xFFFFFFFE)]
    [InlineData("cvt.rmi.s32.f32", 0xC0200000, 0xFFFFFFFD)]
    [InlineData("cvt.rpi.s32.f32", 0xC0200000, 0xFFFFFFFE)]
    [InlineData("cvt.rni.s32.f32", 0x40600000, 4)] // 3.5
    [InlineData("cvt.rzi.s32.f32", 0x4F000000, 0x7FFFFFFF)]
    [InlineData("cvt.rzi.s32.f32", QuietNaN, 0)]
    [InlineData("cvt.rzi.u32.f32", 0xBF800000, 0)]
    [InlineData("cvt.rzi.u8.f32", 0x43FA0000, 255)] // 500
    [InlineData("cvt.rni.f32.f32", 0x40200000, 0x40000000)] // 2.5
    [InlineData("cvt.sat.f32.f32", 0x40200000, One)]
    [InlineData("cvt.s8.s32", 0x000000FF, 0xFFFFFFFF)]
    [InlineData("cvt.u8.u32", 0xFFFFFFFE, 0x000000FE)]
    [InlineData("cvt.sat.s8.s32", 0x00000080, 0x0000007F)]
    public void Of_one_word(string operation, uint a, uint expected)
    {
        _rig.With(a).Run($"ld.global.b32 %r5, [%rd1]; {operation} %r6, %r5; st.global.b32 [%rd3], %r6;");
        Assert.Equal(expected, _rig.Words[0]);
    }

    [Theory]
    [InlineData("add.f64 %rd7, %rd5, %rd6", 0x3FF0000000000000, 0x3CA0000000000000, 0x3FF0000000000000)] // 1 + 2⁻⁵³
    [InlineData("fma.rn.f64 %rd7, %rd5, %rd5, %rd6", 0x3FF0000000000001, 0xBFF0000000000002, 0x3970000000000000)]
    [InlineData("div.rn.f64 %rd7, %rd5, %rd6", 0x3FF0000000000000, 0x4008000000000000, 0x3FD5555555555555)]
    [InlineData("sqrt.rn.f64 %rd7, %rd5", 0x4000000000000000, 0, 0x3FF6A09E667F3BCD)]
    [InlineData("max.f64 %rd7, %rd5, %rd6", NaN64, 0x3FF0000000000000, 0x3FF0000000000000)]
    [InlineData("mul.lo.s64 %rd7, %rd5, %rd6", 0x100000001, 0x100000001, 0x200000001)]
    [InlineData("mul.hi.u64 %rd7, %rd5, %rd6", ulong.MaxValue, 2, 1)]
    [InlineData("shr.s64 %rd7, %rd5, 64", 0x8000000000000000, 0, ulong.MaxValue)]
    [InlineData("shl.b64 %rd7, %rd5, 63", 3, 0, 0x8000000000000000)]
    [InlineData("cvt.rzi.s32.f64 %r5, %rd5; cvt.s64.s32 %rd7, %r5", NaN64, 0, 0xFFFFFFFF80000000)]
    [InlineData("cvt.rni.s64.f64 %rd7, %rd5", NaN64, 0, 0x8000000000000000)]
    [InlineData("cvt.rzi.s64.f64 %rd7, %rd5", 0x43F0000000000000, 0, 0x7FFFFFFFFFFFFFFF)] // 2⁶⁴
    [InlineData("cvt.rn.f32.f64 %r5, %rd5; cvt.u64.u32 %rd7, %r5", 0x3FF0000010000000, 0, One)] // a tie
    [InlineData("cvt.rp.f32.f64 %r5, %rd5; cvt.u64.u32 %rd7, %r5", 0x3FF0000010000000, 0, 0x3F800001)]
    [InlineData("cvt.rz.f32.f64 %r5, %rd5; cvt.u64.u32 %rd7, %r5", 0xFFE0000000000000, 0, 0xFF7FFFFF)]
    [InlineData("cvt.rn.f64.s64 %rd7, %rd5", 0x20000000000001, 0, 0x4340000000000000)]
    [InlineData("cvt.rp.f64.s64 %rd7, %rd5", 0x20000000000001, 0, 0x4340000000000001)]
    [InlineData("cvt.s32.s64 %r5, %rd5; cvt.u64.u32 %rd7, %r5", 0x1FFFFFFFF, 0, 0xFFFFFFFF)]
    [InlineData("mov.b64 {%r5, %r6}, %rd5; mov.b64 %rd7, {%r6, %r5}", 0x1122334455667788, 0, 0x5566778811223344)]
    [InlineData("cvt.u32.u64 %r5, %rd5; mul.wide.s32 %rd7, %r5, %r5", 0xFFFFFFFE, 0, 4)]
    [InlineData("popc.b64 %r5, %rd5; cvt.u64.u32 %rd7, %r5", 0x8000000000000001, 0, 2)]
    public void Of_two_long_words(string operation, ulong a, ulong b, ulong expected)
    {
        _rig.With(a, b).Run($"ld.global.b64 %rd5, [%rd1]; ld.global.b64 %rd6, [%rd1+8]; {operation}; "
            + $"st.global.b64 [%rd0], %rd7;", threads: 1);
        Assert.Equal(expected, _rig.Words[0] | (ulong)_rig.Words[1] << 32);
    }

    [Theory]
    [InlineData("lt.f32", 0x3F800000, 0x40000000, true)]
    [InlineData("lt.f32", QuietNaN, One, false)]
    [InlineData("ltu.f32", QuietNaN, One, true)]
    [InlineData("ne.f32", QuietNaN, QuietNaN, false)]
    [InlineData("neu.f32", QuietNaN, QuietNaN, true)]
    [InlineData("eq.f32", 0, Minus0, true)]
    [InlineData("nan.f32", QuietNaN, 0, true)]
    [InlineData("lt.s32", 0xFFFFFFFF, 0, true)]
    [InlineData("lo.u32", 0xFFFFFFFF, 0, false)]
    [InlineData("hs.u32", 5, 5, true)]
    public void Comparisons(string test, uint a, uint b, bool expected)
    {
        _rig.With(a, b).Run($"ld.global.b32 %r5, [%rd1]; ld.global.b32 %r6, [%rd1+4]; setp.{test} %p1, %r5, %r6; "
            + $"selp.b32 %r7, 1, 0, %p1; st.global.b32 [%rd3], %r7;");
        Assert.Equal(expected ? 1u : 0, _rig.Words[0]);
    }

    [Fact]
    public void Predicates_are_computed_with_and_may_be_constants()
    {
        _rig.Run("setp.lt.s32 %p1, %r0, 8; mov.pred %p2, 1; xor.pred %p3, %p1, %p2; and.pred %p3, %p3, 1; not.pred %p4, %p3; "
            + "mov.b32 %r5, 3; @%p3 mov.b32 %r5, 4; @!%p4 add.s32 %r5, %r5, 1; st.global.b32 [%rd3], %r5;");
        Assert.Equal((3u, 5u), (_rig.Words[7], _rig.Words[8]));
    }

    [Fact]
    public void Every_thread_knows_its_place()
    {
        _rig.Run("mov.u32 %r5, %laneid; mad.lo.s32 %r5, %r0, 100, %r5; mov.u32 %r6, %ntid.x; add.s32 %r5, %r5, %r6; "
            + "mov.u32 %r7, %nctaid.x; add.s32 %r5, %r5, %r7; st.global.b32 [%rd3], %r5;", threads: 40);
        Assert.Equal(39u * 100 + 7 + 40 + 1, _rig.Words[39]);
    }

    [Theory]
    [InlineData("add.ftz.f32 %f1, %f2, %f3;")]
    [InlineData("cvt.f32.f64 %f1, %fd1;")]
    [InlineData("ld.f32 %f1, [%rd0];")]
    [InlineData("ld.local.f32 %f1, [%rd0];")]
    [InlineData("call f;")]
    [InlineData("copysign.f32 %f1, %f2, %f3;")]
    [InlineData("mov.u64 %rd5, %globaltimer;")]
    [InlineData("add.f32 %f1, %f2;")]
    [InlineData("add.f32 %fd1, %f2, %f3;")]
    [InlineData("add.s32 %r1, %r2, nothing;")]
    [InlineData("bra nowhere;")]
    [InlineData("cp.async.cg.shared.global [%r4], [%rd1], 8;")]
    public void What_is_not_known_is_refused_with_its_line(string instruction)
    {
        var refused = Assert.Throws<PtxTextException>(() => PtxRig.Program("\n" + instruction));
        Assert.Contains($"Kernel kernel, line {refused.Line} '{instruction.TrimEnd(';')}'", refused.Message);
        Assert.Contains(instruction.TrimEnd(';').Split(' ')[0], refused.Message);
    }
}
