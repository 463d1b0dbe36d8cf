using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Gpu;
using Rpat.Tests.Gpu.Ptx;

namespace Rpat.Tests.Cases;

/// <summary>Every case on the GPU backend, whose kernels run as PTX.</summary>
public class GpuCaseTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Ops => CpuCaseTests.Ops;

    public static TheoryData<Precision> TensorCores => [Precision.Tf32, Precision.Bf16];

    [Theory]
    [MemberData(nameof(Ops))]
    public void Leaves_what_the_reference_says(string op) => fixture.Once(op, () => new GpuCheck(fixture).Run(op));

    /// <summary>Parameters and their gradients lie one after the other in one buffer, from any word on.</summary>
    [Theory]
    [MemberData(nameof(Ops))]
    public void Plain_tensors_begin_at_any_word(string op) =>
        fixture.Once($"skewed {op}", () => new GpuCheck(fixture) { Skew = 1 }.Run(op, 0));

    /// <summary>
    /// Activations in 16 bits: what is stored is off by its rounding, in convolutions by that of factors too; what stays in 32 bits by
    /// nothing more.
    /// </summary>
    [Theory]
    [MemberData(nameof(Ops))]
    public void Rounds_activations_only(string op) =>
        fixture.Once($"bf16 {op}", () => new GpuCheck(fixture, Precision.Bf16) { Tolerance = new(8e-3, 1e-4) }.Run(op));

    /// <summary>
    /// Ops that compute each value for itself give what the CPU gives that emulates the rounding; functions with exponentials may differ in
    /// the last bit of float32 before it.
    /// </summary>
    [Theory]
    [InlineData("Pointwise")]
    [InlineData("ChannelBias")]
    [InlineData("Binary")]
    [InlineData("Copy")]
    public void Rounds_as_the_emulation(string op) =>
        fixture.Once($"bf16 bits {op}", () => new GpuCheck(fixture, Precision.Bf16) { Grid = 128, AsEmulated = true }.Run(op));

    /// <summary>Factors that bfloat16 holds exactly: a fragment that is misplaced by one register is far off, rounding is not.</summary>
    [Theory]
    [MemberData(nameof(TensorCores))]
    public void Tensor_cores_multiply_the_right_factors(Precision precision) =>
        fixture.Once($"{precision} factors", () => new GpuCheck(fixture, precision) { Grid = 128, Every = false }.Run("Conv2d"));

    [Theory]
    [InlineData(Precision.Tf32, 2e-3, 1e-6)]
    [InlineData(Precision.Bf16, 2e-2, 1e-4)]
    public void Tensor_cores_round_factors_only(Precision precision, double max, double nmse) =>
        fixture.Once($"{precision} rounding", () => new GpuCheck(fixture, precision) { Tolerance = new(max, nmse) }.Run("Conv2d", 2));

    /// <summary>Kernels of convolutions that are compiled for a view of their source, and for tiles of either width.</summary>
    [Theory]
    [InlineData(Precision.Fp32, false)]
    [InlineData(Precision.Tf32, false)]
    [InlineData(Precision.Tf32, true)]
    [InlineData(Precision.Bf16, false)]
    [InlineData(Precision.Bf16, true)]
    public void Each_view_has_its_kernels(Precision precision, bool wide) => fixture.Once($"{precision} {wide} views", () =>
        WideTiles.Within(fixture.Device(precision), wide, () =>
        {
            var check = new GpuCheck(fixture, precision) { Tolerance = _rounded[precision] };
            ConvShape[] layers =
                [new(new(2, 32, 5, 7), Layout.Blocked, 96, 3, 1, 1), new(new(3, 96, 5, 9), Layout.Blocked, 96, 1, 1, 0)];
            foreach (var s in layers)
                for (int kind = 0; kind < 4; kind++)
                {
                    bool affine = kind % 2 > 0, relu = kind > 1;
                    check.Run(new($"{s}, {(affine ? "scaled " : "")}{(relu ? "clamped" : "")}", make => Conv2dCases.Passes(make, s, affine,
                        x => affine ? make.View(x, relu) : new Seen(x, Relu: relu))), _ => true);
                }
        }));

    /// <summary>A NaN of the kind that a GPU computes, and an infinity, reach what reads them, with and without a ReLU.</summary>
    [Theory]
    [MemberData(nameof(TensorCores))]
    public void What_is_not_finite_stays_so(Precision precision)
    {
        const int channels = 32, filters = 64, pixels = 8;
        var device = fixture.Device(precision);
        var make = new TestTensors(device);
        var s = new ConvShape(new Shape(1, channels, 2, 4), Layout.Blocked, filters, 1, 1, 0);
        DeviceBuffer x = make.Allocate(device.StorageLength(s.Input, Layout.Blocked));
        DeviceBuffer y = make.Allocate(device.StorageLength(s.Output, Layout.Blocked));
        float[] values = new float[s.Input.Count], results = new float[filters * pixels];
        Array.Fill(values, 1);
        values[5 * pixels + 2] = BitConverter.UInt32BitsToSingle(0x7FFF_FFFF);
        values[pixels + 6] = float.PositiveInfinity;
        device.UploadBlocked(values, s.Input, x);
        DeviceBuffer w = make.Allocate(filters * channels), lines = make.Allocate(device.Kernels.Conv2dFilterLength(s, false));
        device.Upload(Enumerable.Repeat(1f, filters * channels).ToArray(), w);
        device.Kernels.Conv2dArrangeFilters(s, false, w, lines);
        foreach (bool relu in new[] { false, true })
        {
            device.Kernels.Conv2dForward(s, new Operand(x, null, null, relu), lines, null, y);
            device.DownloadBlocked(y, s.Output, results);
            Assert.All(results.Index(), one =>
                Assert.Equal((one.Index % pixels) switch { 2 => float.NaN, 6 => float.PositiveInfinity, _ => channels }, one.Item));
        }
        make.Free();
    }

    /// <summary>What convolutions may be off by where factors are rounded.</summary>
    private static readonly Dictionary<Precision, Tolerance?> _rounded = new()
    {
        [Precision.Fp32] = null,
        [Precision.Tf32] = new(5e-4, 1e-6),
        [Precision.Bf16] = new(4e-3, 1e-4),
    };

    /// <summary>The cases and the measured peaks launch every kernel of the backend, each instance of a generic one for itself.</summary>
    [Fact]
    public void Every_kernel_of_the_backend_runs()
    {
        foreach (var op in OpCases.All)
        {
            Leaves_what_the_reference_says(op.Op);
            Rounds_activations_only(op.Op);
        }
        foreach (var precision in Enum.GetValues<Precision>())
        {
            if (precision != Precision.Fp32) Tensor_cores_multiply_the_right_factors(precision);
            foreach (bool wide in new[] { false, precision != Precision.Fp32 }) Each_view_has_its_kernels(precision, wide);
            int from = fixture.Launches.Count;
            fixture.Device(precision).QueuePeakFma();
            fixture.Kernels.UnionWith(fixture.Launches.Skip(from).Select(launch => launch.Kernel));
        }
        Assert.Empty(KernelPrograms.Types.Select(type => KernelPrograms.Text(type).Name).Except(fixture.Kernels));
    }
}

/// <summary>The same on ILGPU's own CPU accelerator, which runs no inline PTX.</summary>
[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorCaseTests
{
    public static TheoryData<string> Ops => CpuCaseTests.Ops;

    [Theory]
    [MemberData(nameof(Ops))]
    public void Leaves_what_the_reference_says(string op)
    {
        // an accelerator of its own, which starts as many threads as this op's groups have
        using CpuAcceleratorFixture fixture = new();
        new GpuCheck(fixture).Run(op);
    }
}
