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

    /// <summary>Wide tiles below which a product has narrow ones.</summary>
    public int LeastWideTiles { get; set; } = EnoughGroups;

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
            Multiply(Gather.InputGradient(s, phase), new Source(dy.Quads(), default), FiltersOf(s, true, phase, filters.Quads()), target);
        }
        if (image) UnpackGradient(s.Input, to, through, accumulate, dx);
    }

    public void Conv2dWeightGradient(in ConvShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        var gather = Gather.Forward(s).InStrides(Depth);
        int unit = _precision == Precision.Bf16 ? 2 : 1, unitsOfTap = Ceiling(gather.SourceQuads, unit), rowsOfTap = 4 * unit * unitsOfTap;
        int rows = gather.Taps * rowsOfTap, pixels = s.Input.N * s.P * s.Q, columns = ChannelQuads(s.K);
        var tiles = new Index3D(Ceiling(rows, GemmTile.Rows), Ceiling(columns, GemmTile.ColumnQuads), 1);
        int perSplit = Split(tiles.X * tiles.Y, Ceiling(pixels, Depth), out int splits) * Depth;
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)splits * rows * columns);
        var grid = new Index3D(tiles.X, tiles.Y, splits);
        var source = PixelSource(s, x);
        var loader = new WeightLoader(gather, source, dy.Quads(), unitsOfTap, columns, pixels, perSplit);
        LaunchWeightGemm(grid, loader, new WeightTarget(partial, rows, columns), source.Map.Kind);
        ForEach((long)rows * columns, new SumWeights(partial, splits, rows, columns, s.C, rowsOfTap, s.K, accumulate ? 1 : 0, dw.Floats()));
    }

    /// <summary>target = Σ over taps and source channels of source·filters.</summary>
    private void Multiply(in Gather gather, in Source source, ArrayView<V4> filters, in Target target)
    {
        int rows = gather.Pixels, steps = Steps(gather);
        bool wide = UsesWideTiles(gather, target.Columns);
        var tiles = new Index3D(Ceiling(rows, GemmTile.Rows), Ceiling(target.Columns, GemmTile.ColumnQuads * (wide ? 2 : 1)), 1);
        int perSplit = Split(tiles.X * tiles.Y, steps, out int splits);
        var grid = new Index3D(tiles.X, tiles.Y, splits);
        if (splits == 1)
        {
            LaunchGemm(grid, gather, source, steps, perSplit, filters, target, wide);
            return;
        }
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)splits * rows * target.Columns);
        LaunchGemm(grid, gather, source, steps, perSplit, filters, Target.Partial(partial, rows, target.Columns), wide);
        ForEach((long)rows * target.Columns, new SumSplits(partial, splits, rows, target));
    }

    /// <summary>
    /// Whether a product on tensor cores has tiles of 128 outputs: if these leave no more outputs unused than tiles of 64 do, and there are
    /// enough of them.
    /// </summary>
    private bool UsesWideTiles(in Gather gather, int columns)
    {
        int tiles = Ceiling(columns, GemmTile.ColumnQuads);
        return _precision != Precision.Fp32 && Fills(gather) && tiles % 2 == 0
            && (long)Ceiling(gather.Pixels, GemmTile.Rows) * tiles / 2 >= LeastWideTiles;
    }

    /// <summary>Whether the source's channels fill the steps of a product.</summary>
    private bool Fills(in Gather gather) => gather.SourceRows % Depth == 0;

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

    private void LaunchGemm(Index3D grid, in Gather gather, in Source source, int steps, int perSplit, ArrayView<V4> filters,
        in Target target, bool wide)
    {
        bool fills = Fills(gather);
        var loader = new PixelLoader(gather.InUnits(fills ? Depth / 4 : 1), source, steps, perSplit);
        var launch = new GemmLaunch(this, grid, loader, filters, target, wide);
        if (!fills) launch.With<Mixed>();
        else Dispatch(source.Map.Kind, launch);
    }

    private void LaunchWeightGemm(Index3D grid, in WeightLoader loader, in WeightTarget target, (bool Affine, bool Relu) view) =>
        Dispatch(view, new WeightGemmLaunch(this, grid, loader, target));

    /// <summary>Launches the kernel that is compiled for a view.</summary>
    private static void Dispatch<T>((bool Affine, bool Relu) view, in T launch) where T : IViewLaunch
    {
        if (view.Affine && view.Relu) launch.With<ScaledClamped>();
        else if (view.Affine) launch.With<Scaled>();
        else if (view.Relu) launch.With<Clamped>();
        else launch.With<Plain>();
    }

    private interface IViewLaunch
    {
        void With<V>() where V : struct, IView;
    }

    private readonly struct GemmLaunch(
        GpuKernels kernels, Index3D grid, PixelLoader loader, ArrayView<V4> filters, Target target, bool wide) : IViewLaunch
    {
        public void With<V>() where V : struct, IView
        {
            if (kernels._precision == Precision.Fp32) kernels.Launch(Group(grid), new ConvGemm<V>(loader, filters, target));
            else if (kernels._precision == Precision.Tf32) OnTensorCores<Tf32, V>();
            else OnTensorCores<Bf16, V>();
        }

        private void OnTensorCores<T, V>() where T : struct, IWord where V : struct, IView
        {
            if (wide) OnTensorCores<T, V, Wide>();
            else OnTensorCores<T, V, Narrow>();
        }

        private void OnTensorCores<T, V, S>() where T : struct, IWord where V : struct, IView where S : struct, ITile => kernels.Launch(
            TensorGroup(grid, LineTile.Shared(S.Wide ? 128 : 64)), new ConvTensorGemm<T, V, S>(loader,
                (ulong)filters.LoadEffectiveAddressAsPtr(), Lines(4 * target.Columns), filters.Cast<U4>(), target));
    }

    private readonly struct WeightGemmLaunch(GpuKernels kernels, Index3D grid, WeightLoader loader, WeightTarget target) : IViewLaunch
    {
        public void With<V>() where V : struct, IView
        {
            if (kernels._precision == Precision.Fp32) kernels.Launch(Group(grid), new WeightGemm<V>(loader, target));
            else if (kernels._precision == Precision.Tf32) OnTensorCores<Tf32, V>();
            else OnTensorCores<Bf16, V>();
        }

        private void OnTensorCores<T, V>() where T : struct, IWord where V : struct, IView =>
            kernels.Launch(TensorGroup(grid, WeightTensorGemm<T, V>.Shared), new WeightTensorGemm<T, V>(loader, target));
    }

    private static KernelConfig Group(Index3D grid) => new(grid, new Index3D(GemmTile.Threads, 1, 1));

    private static KernelConfig TensorGroup(Index3D grid, int bytes) =>
        new(grid, new Index3D(GemmTile.Threads, 1, 1), SharedMemoryConfig.RequestDynamic<byte>(bytes));

    /// <summary>Activations as they are; images are first packed as activations, their view applied.</summary>
    private Source PixelSource(in ConvShape s, in Operand x) => s.InputLayout == Layout.Plain
        ? new Source(PackImage(s.Input, x), default)
        : x.Source();
}
