using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Driver;

namespace Rpat.Tests.Gpu.Driver;

/// <summary>Which PTX a driver knows, and which a text asks for.</summary>
public class PtxVersionTests
{
    [Theory]
    [InlineData(9020, "6.0")]
    [InlineData(10000, "6.3")]
    [InlineData(10020, "6.5")]
    [InlineData(11000, "7.0")]
    [InlineData(11080, "7.8")]
    [InlineData(12040, "8.4")]
    [InlineData(12060, "8.5")]
    [InlineData(12070, "8.6")]
    [InlineData(12090, "8.8")]
    [InlineData(13000, "9.0")]
    [InlineData(14000, "9.1")] // newer than what is known
    public void A_driver_knows(int cuda, string ptx) => Assert.Equal(ptx, PtxVersion.NewestOf(cuda).ToString());

    /// <summary>
    /// ILGPU chooses the text's version by a table of its own, which ends at CUDA 12.9: no text may be refused that it would write.
    /// </summary>
    [Fact]
    public void ILGPU_writes_no_version_that_is_refused()
    {
        for (int cuda = 11000; cuda < 14000; cuda += 10)
        {
            var driver = CudaDriverVersion.FromValue(cuda);
            Assert.True(CudaAccelerator.TryGetInstructionSet(CudaArchitecture.SM_80, driver, out _, out var set), $"CUDA {cuda}");
            var newest = PtxVersion.NewestOf(cuda);
            Assert.True(new PtxVersion(set.Major, set.Minor).CompareTo(newest) <= 0, $"CUDA {cuda}: ILGPU writes {set}, the driver knows "
                + $"{newest}");
        }
    }

    [Theory]
    [InlineData("//\n.version 8.6\n.target sm_90\n.address_size 64\n", 8, 6, 90)]
    [InlineData(".version 7.0\r\n.target sm_80a, debug\r\n", 7, 0, 80)]
    public void A_text_asks_for(string text, int major, int minor, int architecture) =>
        Assert.Equal((new PtxVersion(major, minor), architecture), PtxVersion.Of(text));

    [Theory]
    [InlineData("")]
    [InlineData(".version 8.6")]
    [InlineData("// .version 8.6 .target sm_80")]
    public void What_is_no_module_asks_for_nothing(string text) => Assert.Null(PtxVersion.Of(text));

    [Fact]
    public void The_kernels_texts_say_what_they_ask_for()
    {
        var kernel = GpuBackend.Compile(GpuBackend.KernelTypes().First(), new CudaArchitecture(8, 0));
        Assert.Equal((new PtxVersion(8, 6), 80), PtxVersion.Of(kernel.Text));
    }
}
