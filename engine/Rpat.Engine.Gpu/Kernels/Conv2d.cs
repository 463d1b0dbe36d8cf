using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Convolution as implicit GEMM: a matrix product whose left factor is never stored. The forward pass and the input gradient are one
/// kernel: outputs are pixels × channels, the reduction runs over taps × channels of the source, and <see cref="Gather"/> gives the source
/// pixel that a tap reads. In the weight gradient taps × channels are the rows and the reduction runs over pixels.
/// </summary>
internal sealed partial class GpuKernels : IConv2dKernels
{
    /// <summary>Number of groups that fills a large GPU once; a product with fewer tiles uses split-K.</summary>
    private const int EnoughGroups = 256;

    public string Conv2dAlgorithm(in ConvShape s) => "gemm";

    public void Conv2dForward(in ConvShape s, in Operand x, DeviceBuffer filters, DeviceBuffer? residual, DeviceBuffer y)
    {
        var target = new Target(y.Quads(), residual.QuadsOrNone(), default, ChannelQuads(s.K), Placement.Whole);
        Multiply(Gather.Forward(s), PixelSource(s, x), filters.Quads(), target);
    }

    public void Conv2dInputGradient(in ConvShape s, DeviceBuffer dy, DeviceBuffer filters, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        bool image = s.InputLayout == Layout.Plain;
        var to = image ? _scratch.Quads(ScratchSlot.Image, ActivationQuads(s.Input)) : dx.Quads();
        var add = accumulate && !image ? to : default;
        for (int phase = 0; phase < s.Stride * s.Stride; phase++)
        {
            var placement = Placement.Phase(s, phase);
            if (placement.Pixels(s.Input.N) == 0) continue;
            var target = new Target(to, add, image ? default : through.Source(), ChannelQuads(s.C), placement);
            Multiply(Gather.InputGradient(s, phase), new Source(dy.Quads(), default), filters.Quads(), target);
        }
        if (image) UnpackGradient(s.Input, to, through, accumulate, dx);
    }

    public void Conv2dWeightGradient(in ConvShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        var gather = Gather.Forward(s);
        int rows = gather.Taps * gather.SourceRows, pixels = s.Input.N * s.P * s.Q, columns = ChannelQuads(s.K);
        var tiles = new Index3D(Ceiling(rows, GemmTile.Rows), Ceiling(columns, GemmTile.ColumnQuads), 1);
        int perSplit = Split(tiles.X * tiles.Y, Ceiling(pixels, GemmTile.Depth(_precision)), out int splits) * GemmTile.Depth(_precision);
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)splits * rows * columns);
        var grid = new Index3D(tiles.X, tiles.Y, splits);
        var loader = new WeightLoader(gather, PixelSource(s, x), dy.Quads(), columns, pixels, perSplit);
        LaunchWeightGemm(grid, loader, new WeightTarget(partial, rows, columns));
        ForEach((long)rows * columns, new SumWeights(partial, splits, rows, columns, s.C, gather.SourceRows, s.K, accumulate ? 1 : 0,
            dw.Floats()));
    }

    /// <summary>target = Σ over taps and source channels of source·filters.</summary>
    private void Multiply(in Gather gather, in Source source, ArrayView<V4> filters, in Target target)
    {
        bool lines = UsesLines(gather.QuadsOfPixel);
        int rows = gather.Pixels, depth = lines ? LineTile.Channels : GemmTile.Depth(_precision);
        var tiles = new Index3D(Ceiling(rows, GemmTile.Rows), Ceiling(target.Columns, GemmTile.ColumnQuads), 1);
        int steps = gather.Taps * Ceiling(gather.SourceRows, depth);
        int perSplit = Split(tiles.X * tiles.Y, steps, out int splits);
        var loader = new PixelLoader(gather, source, filters, target.Columns, perSplit, Ceiling(gather.SourceRows, depth));
        var grid = new Index3D(tiles.X, tiles.Y, splits);
        if (splits == 1)
        {
            LaunchGemm(grid, loader, filters, target, lines);
            return;
        }
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)splits * rows * target.Columns);
        LaunchGemm(grid, loader, filters, Target.Partial(partial, rows, target.Columns), lines);
        ForEach((long)rows * target.Columns, new SumSplits(partial, splits, rows, target));
    }

    /// <summary>
    /// Steps of the reduction that one group takes. Depends on the shape alone, so that the sums and the results do not depend on the GPU.
    /// </summary>
    private static int Split(int tiles, int steps, out int splits)
    {
        const int least = 8; // steps below which starting and storing a tile costs more than it gains
        int wanted = Math.Max(1, Math.Min(EnoughGroups / tiles, steps / least));
        int perSplit = Math.Max(1, Ceiling(steps, wanted));
        splits = Math.Max(1, Ceiling(steps, perSplit));
        return perSplit;
    }

    private void LaunchGemm(Index3D grid, in PixelLoader loader, ArrayView<V4> filters, in Target target, bool lines)
    {
        if (_precision == Precision.Fp32) Launch(Group(grid), new ConvGemm(loader, target));
        else if (_precision == Precision.Tf32) LaunchTensorGemm<Tf32>(grid, loader, filters, target, lines);
        else LaunchTensorGemm<Bf16>(grid, loader, filters, target, lines);
    }

    private void LaunchTensorGemm<T>(Index3D grid, in PixelLoader loader, ArrayView<V4> filters, in Target target, bool lines)
        where T : struct, IWord
    {
        if (lines) Launch(TensorGroup(grid), new ConvLineGemm<T>(loader, (ulong)filters.LoadEffectiveAddressAsPtr(), target));
        else Launch(TensorGroup(grid), new ConvTensorGemm<T>(loader, target));
    }

    private void LaunchWeightGemm(Index3D grid, in WeightLoader loader, in WeightTarget target)
    {
        if (_precision == Precision.Fp32) Launch(Group(grid), new WeightGemm(loader, target));
        else if (_precision == Precision.Tf32) Launch(TensorGroup(grid), new WeightTensorGemm<Tf32>(loader, target));
        else Launch(TensorGroup(grid), new WeightTensorGemm<Bf16>(loader, target));
    }

    private static KernelConfig Group(Index3D grid) => new(grid, new Index3D(GemmTile.Threads, 1, 1));

    private static KernelConfig TensorGroup(Index3D grid) =>
        new(grid, new Index3D(GemmTile.Threads, 1, 1), SharedMemoryConfig.RequestDynamic<V4>(TensorTile.SharedQuads));

    /// <summary>Activations as they are; images are first packed as activations, their view applied.</summary>
    private Source PixelSource(in ConvShape s, in Operand x) => s.InputLayout == Layout.Plain
        ? new Source(PackImage(s.Input, x), default)
        : x.Source();
}
