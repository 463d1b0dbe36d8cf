using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Kernels;
using Rpat.Engine.Gpu.Ptx;
using Rpat.Trainer.Cli;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>Structs of others that no GPU can run: the audit says which and why, and goes on.</summary>
public sealed class RefusedStructTests
{
    [Theory]
    [InlineData(typeof(ElementwiseValue<Sine>), "Sine", "it calls Sin")]
    [InlineData(typeof(ElementwiseValue<Table>), "Table", "it has a field that is no number")]
    [InlineData(typeof(ElementwiseValue<Throwing>), "Throwing", "Throw")]
    [InlineData(typeof(BinaryValue<Raised>), "Raised", "it calls Pow")]
    public void AStructThatNoGpuCanRunIsNamedWithTheReason(Type kernel, string name, string why)
    {
        var refused = GpuBackend.Tried(kernel, CudaArchitecture.SM_80);
        Assert.StartsWith($"{typeof(RefusedStructTests)}+{name} cannot be compiled for a GPU (", refused.Verdict);
        Assert.Contains(why, refused.Verdict);
        Assert.Empty(refused.Text);
        var sound = new PtxKernel("sound", "");
        Assert.Equal($"{refused.Verdict}\n2 of 3 kernels are not ok: {refused.Name}, {refused.Name}.",
            PtxCommand.Summary([refused, sound, refused]));
        Assert.Equal("all 1 kernels are ok.", PtxCommand.Summary([sound]));
    }

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

    private readonly struct Sine : IElementwise
    {
        public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => Math.Sin(x);

        public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => 1;
    }

    private readonly struct Table(float[] values) : IElementwise
    {
        public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => values[0] * x;

        public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => values[0];
    }

    private readonly struct Throwing : IElementwise
    {
        public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => x < 0 ? throw new ArgumentException("x") : x;

        public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => 1;
    }

    private readonly struct Whole : IElementwise
    {
        public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => x - (x == 2 ? 1 : 0);

        public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => 1;
    }

    private readonly struct Branch : IElementwise
    {
        public double Value<TMath>(double x, TMath math) where TMath : struct, IMath
        {
            if (x == 2) x -= 1;
            return x;
        }

        public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => 1;
    }

    private readonly struct Raised : IBinary
    {
        public double Value(double a, double b) => Math.Pow(a, b);

        public double ByA(double a, double b) => 1;

        public double ByB(double a, double b) => 1;
    }
}
