using Rpat.Engine.Gpu.Ptx;

namespace Rpat.Tests.Gpu;

/// <summary>What the audit of a kernel's text sees.</summary>
public class PtxKernelTests
{
    /// <summary>Two registers trade places in a loop, and one of them began as a thread's number.</summary>
    private const string Rotation = """
        mov.b32 %r18, %tid.x;
        ld.param.b32 %r13, [_kernel+40];
        mov.b32 %r4, %r13;
        mov.b32 %r6, %r18;
        L_0:
        @%p2 bra.uni L_1;
        xor.b32 %r31, %r6, 7;
        xor.b32 %r35, %r4, 9;
        mov.b32 %r4, %r31;
        mov.b32 %r6, %r35;
        bra.uni L_0;
        L_1:
        setp.gt.s32 %p12, %r4, 5;
        @%p12 bra{0} L_2;
        """;

    [Theory]
    [InlineData(".uni", 1)]
    [InlineData("", 0)]
    public void A_condition_from_a_threads_number_is_not_uniform(string mark, int count) =>
        Assert.Equal(count, Kernel(Rotation.Replace("{0}", mark, StringComparison.Ordinal)).MismarkedBranches);

    [Theory]
    [InlineData("ld.shared.f64 %fd1, [%rd8];", 0)] // one address: one value
    [InlineData("mov.b32 %r1, %tid.x; \nmul.wide.u32 %rd8, %r1, 8;\nld.shared.f64 %fd1, [%rd8];", 1)]
    [InlineData("shfl.sync.bfly.b32 %fd1, %fd2, 1, 31, 0xffffffff;", 1)]
    [InlineData("st.global.f32 [%rd3], %fd1;\nmov.b32 %r1, %ctaid.x;\ncvt.f64.s32 %fd1, %r1;", 0)]
    public void What_all_threads_share_is(string before, int count) =>
        Assert.Equal(count, Kernel($"{before}\nsetp.le.f64 %p9, %fd1, %fd42;\n@%p9 bra.uni L_3;").MismarkedBranches);

    [Fact]
    public void Instructions_are_counted()
    {
        var kernel = Kernel("""
            .extern .shared .align 16 .b8 __dyn_shared_alloca[];
            ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];
            { .reg .b32 to; cp.async.cg.shared.global [to], [%rd23], 16, %r69; }
            mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc0}; mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc1};
            """);
        Assert.Equal((1, 1, 2), (kernel.QuadAccesses, kernel.AsyncCopies, kernel.TensorProducts));
        Assert.False(kernel.UsesLocalMemory || kernel.Calls || kernel.GenericAccesses > 0);
    }

    [Theory]
    [InlineData(".local .align 4 .b8 __local_depot[16];", true, false, 0)]
    [InlineData("call.uni (r), __nv_expf, (p);", false, true, 0)]
    [InlineData("ld.f32 %f1, [%rd1];", false, false, 1)]
    public void What_is_slow_or_cannot_be_linked_is_seen(string text, bool local, bool calls, int generic) =>
        Assert.Equal((local, calls, generic), (Kernel(text).UsesLocalMemory, Kernel(text).Calls, Kernel(text).GenericAccesses));

    [Theory]
    [InlineData("selp.b64 %fd1, 0d0000000000000001, 0d0000000000000000, %p1;", 1)]
    [InlineData("selp.b64 %fd1, 0d3FF0000000000000, 0d0000000000000000, %p1;", 0)]
    [InlineData("mov.f64 %fd1, 0d8000000000000000; mov.f64 %fd2, 0d800FFFFFFFFFFFFF; mov.f64 %fd3, 0d0010000000000000;", 1)]
    [InlineData("mov.f32 %f1, 0f00000001; mov.f32 %f2, 0f807FFFFF; mov.f32 %f3, 0f00800000; mov.f32 %f4, 0f80000000;", 2)]
    public void Denormal_constants_are_seen(string text, int count) => Assert.Equal(count, Kernel(text).DenormalConstants);

    [Theory]
    [InlineData("SgdQuad", "add.f32 %f1, %f2, %f3;", PtxKernel.Ok)]
    [InlineData("SgdQuad", "mma.sync.aligned;", "has not the products and copies that it was written with")]
    [InlineData("ConvTensorGemm-Tf32-Plain-Wide", "ld.global.v4.f32 {%f1}, [%rd1];",
    "has not the products and copies that it was written with")]
    [InlineData("WeightBf16Gemm-Plain", "mma.sync", "has not the products and copies that it was written with")]
    [InlineData("ConvGemm", "ld.global.f32 %f1, [%rd1];", "moves no 128 bits at once")]
    [InlineData("ConvGemm", "ld.global.v4.f32 {%f1}, [%rd1];", PtxKernel.Ok)]
    [InlineData("ConvGemm", "ld.f32 %f1, [%rd1];", "has accesses of unknown address space")]
    public void The_verdict_knows_what_a_kernel_was_written_with(string name, string text, string verdict) =>
        Assert.Equal(verdict, new PtxKernel(name, text).Verdict);

    private static PtxKernel Kernel(string text) => new("kernel", text);
}
