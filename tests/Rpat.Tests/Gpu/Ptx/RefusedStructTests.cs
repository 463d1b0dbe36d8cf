using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Kernels;
using Rpat.Engine.Gpu.Ptx;
using Rpat.Trainer.Cli;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>Structs of others that no GPU can run: the audit says which and why, and goes on.</summary>
public sealed class RefusedStructTests
{
    [Theory]
    [InlineData(typeof(ElementwiseValue<Table>), "Table", "it has a field that is no number")]
    [InlineData(typeof(ElementwiseValue<Throwing>), "Throwing", "Throw")]
    [InlineData(typeof(ElementwiseValue<Raised>), "Raised", "it calls Pow")]
    [InlineData(typeof(ElementwiseValue<Rest>), "Rest", "it calls Rem")]
    public void AStructThatNoGpuCanRunIsNamedWithTheReason(Type kernel, string name, string why)
    {
        var refused = GpuBackend.Tried(kernel, CudaArchitecture.SM_80);
        Assert.StartsWith($"{typeof(RefusedStructTests)}+{name} of Rpat.Tests cannot be compiled for a GPU (", refused.Verdict);
        Assert.Contains(why, refused.Verdict);
        Assert.Empty(refused.Text);
        var sound = new PtxKernel("sound", "");
        Assert.Equal($"{refused.Verdict}\n2 of 3 kernels are not ok: {refused.Name}, {refused.Name}.",
            PtxCommand.Summary([refused, sound, refused]));
        Assert.Equal("all 1 kernels are ok.", PtxCommand.Summary([sound]));
    }

    [Fact]
    public void EveryKernelThatIsNotOkHasItsReason()
    {
        const string one = "S of one cannot be compiled x", two = "S of two cannot be compiled y";
        PtxKernel[] bad = [new("a", "") { Refused = one }, new("b", "") { Refused = two }, new("c", "ld.local")];
        Assert.Equal($"{one}\n{two}\nc uses local memory.\n3 of 3 kernels are not ok: a, b, c.", PtxCommand.Summary(bad));
    }

    /// <summary>Two plugins may each have a struct of one name.</summary>
    [Fact]
    public void KernelsOfStructsOfOneNameHaveNamesOfTheirOwn() => Assert.Equal(
        [
            $"ElementwiseValue-Whole-{typeof(RefusedStructTests)}+Whole-of-Rpat.Tests",
            $"ElementwiseValue-Whole-{typeof(Other)}+Whole-of-Rpat.Tests", "ElementwiseValue-Rest",
        ],
        GpuBackend.Named([typeof(ElementwiseValue<Whole>), typeof(ElementwiseValue<Other.Whole>), typeof(ElementwiseValue<Rest>)])
            .Select(one => one.Name));

    /// <summary>The compiler takes the bits of a whole number for those of a float; a branch has none.</summary>
    [Fact]
    public void AComparisonThatBecomesANumberIsRefusedAndABranchIsNot()
    {
        Assert.Contains("write if (a == b) x += 1", GpuBackend.Tried(typeof(ElementwiseValue<Whole>), CudaArchitecture.SM_80).Verdict);
        Assert.Equal(PtxKernel.Ok, GpuBackend.Tried(typeof(ElementwiseValue<Branch>), CudaArchitecture.SM_80).Verdict);
    }

    [Fact]
    public void AnAssemblyWithStructsAloneHasSome()
    {
        Assert.True(GpuBackend.HasStructs(typeof(RefusedStructTests).Assembly));
        Assert.False(GpuBackend.HasStructs(typeof(PtxCommand).Assembly));
    }

    private readonly struct Table(float[] values) : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T> => values[0] * x;

        public T Derivative<T>(T x) where T : struct, IReal<T> => values[0];
    }

    private readonly struct Throwing(double least) : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T> => least < 0 ? throw new ArgumentException("least") : x;

        public T Derivative<T>(T x) where T : struct, IReal<T> => 1;
    }

    private readonly struct Raised(double power) : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T> => x * Math.Pow(power, 2.5);

        public T Derivative<T>(T x) where T : struct, IReal<T> => 1;
    }

    private readonly struct Rest(double of) : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T> => x * (of % 3);

        public T Derivative<T>(T x) where T : struct, IReal<T> => 1;
    }

    private readonly struct Whole(double by) : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T> => x - (by == 2 ? 1 : 0);

        public T Derivative<T>(T x) where T : struct, IReal<T> => 1;
    }

    private readonly struct Branch(double by) : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T>
        {
            if (by == 2) x -= 1;
            return x;
        }

        public T Derivative<T>(T x) where T : struct, IReal<T> => 1;
    }

    private static class Other
    {
        public readonly struct Whole : IElementwise
        {
            public T Value<T>(T x) where T : struct, IReal<T> => x;

            public T Derivative<T>(T x) where T : struct, IReal<T> => 1 + 0 * x;
        }
    }
}
