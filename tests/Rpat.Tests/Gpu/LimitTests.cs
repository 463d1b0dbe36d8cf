using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Queues;
using Device = Rpat.Engine.Devices.Device;

namespace Rpat.Tests.Gpu;

/// <summary>What is at the ends of what a GPU's kernels, numbers and memory can do.</summary>
public class LimitTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    [Fact]
    public void A_tensor_that_kernels_cannot_count_is_refused_where_it_is_made()
    {
        Shape image = new(1, 64, 224, 224), last = image.WithBatch(668), over = image.WithBatch(669);
        foreach (var precision in new[] { Precision.Fp32, Precision.Bf16 })
        {
            Tape tape = new(fixture.Device(precision));
            foreach (var layout in Enum.GetValues<Layout>())
            {
                tape.NewTensor(last, layout, "last");
                Assert.Equal("Tensor: [669, 64, 224, 224] is over 2^31 - 1 values on a GPU, padding included: choose a smaller batch.",
                    Assert.Throws<ShapeException>(() => tape.NewTensor(over, layout, "over")).Message);
            }
            Assert.Throws<ShapeException>(() => tape.NewTensor(over with { C = 61 }, Layout.Blocked, "padded"));
        }
    }

    [Fact]
    public void Many_outputs_and_inputs_of_a_linear_layer_are_groups_along_x()
    {
        const int outputs = 65_536, inputs = 2_100_000;
        Probe? probe = null;
        using var device = GpuDevice.Simulator(through: queue => probe = new Probe(queue));
        DeviceBuffer x = device.Allocate(1), dy = device.Allocate(outputs), dw = device.Allocate(outputs);
        device.Kernels.LinearWeightGradient(1, 1, outputs, x, dy, false, dw, null);
        Index3D grid = Assert.Single(probe!.Grids);
        Assert.Equal((outputs, 1, 1), (grid.X, grid.Y, grid.Z));
        DeviceBuffer wide = device.Allocate(inputs), gradient = device.Allocate(2 * inputs);
        device.Kernels.LinearWeightGradient(1, inputs, 2, wide, dy, false, gradient, null);
        grid = probe.Grids[^1];
        Assert.Equal((2 * inputs / 32, 1, 1), (grid.X, grid.Y, grid.Z));
    }

    /// <summary>A logarithm of infinity is no number that hides an overflow.</summary>
    [Fact]
    public void Logarithms_to_the_end()
    {
        float[] x = [1, float.MaxValue, float.PositiveInfinity];
        using var cpu = Device.Cpu(1);
        foreach (var device in new[] { cpu, fixture.Device() })
        {
            Tape tape = new(device);
            Tensor y = tape.Retain(tape.Log(Tensor.From(device, new Shape(1, 3), x)));
            tape.Forward();
            Assert.Equal([0, MathF.Log(float.MaxValue), float.PositiveInfinity], y.ToArray());
        }
    }

    /// <summary>As on the CPU: infinity and 0 where doubles end.</summary>
    [Fact]
    public void Exponentials_of_any_number()
    {
        float[] x = [80, -80, 720, 1000, 1e30f, float.PositiveInfinity, -800, float.NegativeInfinity, float.NaN];
        using var cpu = Device.Cpu(1);
        Assert.Equal(Values(cpu), Values(fixture.Device()));

        float[] Values(Device device)
        {
            Tape tape = new(device);
            Loss loss = tape.RowLoss("exp", new Exponential(), Tensor.From(device, new Shape(x.Length, 1), x), new());
            tape.Forward();
            return loss.Terms[0].Values.ToArray();
        }
    }

    [Fact]
    public void Memory_that_cannot_be_cleared_is_freed()
    {
        Probe? probe = null;
        using (var device = GpuDevice.Simulator(through: queue => probe = new Probe(queue)))
        {
            probe!.Fails = true;
            Assert.Throws<TimeoutException>(() => device.Allocate(4));
            Assert.False(probe.Block!.IsDisposed);
        }
        Assert.True(probe.Block.IsDisposed);
    }

    [Fact]
    public void What_the_driver_refuses_to_free_keeps_nothing_else()
    {
        int freed = 0;
        GpuDevice.FreeAll([() => freed++, () => throw new Refused(), () => freed++]);
        Assert.Equal(2, freed);
    }

    private sealed class Refused() : AcceleratorException("an illegal memory access was encountered")
    {
        public override AcceleratorType AcceleratorType => AcceleratorType.Cuda;
    }

    /// <summary>Keeps what was asked for, and runs nothing.</summary>
    private sealed class Probe(IWorkQueue queue) : IWorkQueue
    {
        public List<Index3D> Grids { get; } = [];

        public MemoryBuffer1D<float, Stride1D.Dense>? Block { get; private set; }

        public bool Fails { get; set; }

        public MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words) => Block = queue.Allocate(words);

        public void Clear(ArrayView<float> target)
        {
            if (Fails) throw new TimeoutException();
        }

        public void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged => queue.Copy(source, target);

        public Action<KernelConfig, T> Load<T>() where T : struct, IKernel => (config, _) => Grids.Add(config.GridDim);
    }
}

/// <summary>eˣ of the only column.</summary>
public readonly struct Exponential : IRowLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => rows.Z.Exp(rows.Z.At(0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow => rows.Z.Put(0, factor * Value(rows, 0));
}
