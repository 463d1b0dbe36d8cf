using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Convolution as implicit GEMM: a matrix product whose left factor is never stored. The forward pass and the input gradient are one
/// kernel: outputs are pixels × channels, the reduction runs over taps × channels of the source, and <see cref="Gather"/> gives the source
/// pixel that a tap reads. In the weight gradient taps × channels are the rows and the reduction runs over pixels.
/// </summary>
internal sealed partial class GpuKernels<S> : IConv2dKernels
{
    public string Conv2dAlgorithm(in ConvShape s) => "gemm";

    public void Conv2dForward(in ConvShape s, in Operand x, DeviceBuffer filters, DeviceBuffer? residual, DeviceBuffer y)
    {
        var target = new Target<S>(y.Stored<S>(), residual.StoredOrNone<S>(), default, ChannelQuads(s.K), Placement.Whole);
        Multiply(Gather.Forward(s), PixelSource(s, x), filters.Quads(), target);
    }

    public void Conv2dInputGradient(in ConvShape s, DeviceBuffer dy, DeviceBuffer filters, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        bool image = s.InputLayout == Layout.Plain;
        var sums = image ? _scratch.Quads(ScratchSlot.Image, ActivationQuads(s.Input)) : default;
        var to = image ? default : dx.Stored<S>();
        for (int phase = 0; phase < s.Stride * s.Stride; phase++)
        {
            var placement = Placement.Phase(s, phase);
            if (placement.Pixels(s.Input.N) == 0) continue;
            var target = image
                ? Target<S>.Sums(sums, 0, ChannelQuads(s.C), placement)
                : new Target<S>(to, accumulate ? to : default, through.Source<S>(), ChannelQuads(s.C), placement);
            var source = new Source<S>(dy.Stored<S>(), default);
            Multiply(Gather.InputGradient(s, phase), source, FiltersOf(s, true, phase, filters.Quads()), target);
        }
        if (image) UnpackGradient(s.Input, new Quads<F32>(sums.Cast<float>()), through, accumulate, dx);
    }

    public void Conv2dWeightGradient(in ConvShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        var gather = Gather.Forward(s).InStrides(Depth);
        int unit = _precision == Precision.Bf16 ? 2 : 1, unitsOfTap = Ceiling(gather.SourceQuads, unit), rowsOfTap = 4 * unit * unitsOfTap;
        int rows = gather.Taps * rowsOfTap, pixels = s.Input.N * s.P * s.Q, columns = ChannelQuads(s.K);
        int sums = Ceiling(columns, WeightTarget.Together) * WeightTarget.Together;
        var tiles = new Index3D(Ceiling(rows, GemmTile.Rows), Ceiling(columns, GemmTile.ColumnQuads), 1);
        int perSplit = Split(tiles.X * tiles.Y, Ceiling(pixels, Depth), out int splits) * Depth;
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)splits * rows * sums);
        var grid = new Index3D(tiles.X, tiles.Y, splits);
        var source = PixelSource(s, x);
        var loader = new WeightLoader<S>(gather, source, dy.Stored<S>(), unitsOfTap, columns, pixels, perSplit);
        var launch = new WeightGemmLaunch(this, grid, loader, new WeightTarget(partial, rows, sums));
        if (_precision == Precision.Bf16 && (gather.SourceQuads | columns) % 2 != 0) launch.With<Mixed>();
        else Dispatch(source.Map.Kind, launch);
        var places = new QuadGrid(rowsOfTap, sums);
        Launch(places.Config(gather.Taps), new SumWeights(
            places, partial, splits, s.C, s.K, _precision == Precision.Bf16 ? 1 : 0, accumulate ? 1 : 0, dw.Floats()));
    }

    /// <summary>target = Σ over taps and source channels of source·filters.</summary>
    private void Multiply(in Gather gather, in Source<S> source, ArrayView<V4> filters, in Target<S> target)
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
        var slices = Target<S>.Sums(partial, rows * target.Columns, target.Columns, Placement.Whole);
        LaunchGemm(grid, gather, source, steps, perSplit, filters, slices, wide);
        var places = new QuadGrid(rows, target.Columns);
        Launch(places.Config(1), new SumSplits<S>(places, partial, splits, target));
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

    private void LaunchGemm(Index3D grid, in Gather gather, in Source<S> source, int steps, int perSplit, ArrayView<V4> filters,
        in Target<S> target, bool wide)
    {
        bool fills = Fills(gather);
        var loader = new PixelLoader<S>(gather.InUnits(fills ? Depth / 4 : 1), source, steps, perSplit);
        var launch = new GemmLaunch(this, grid, loader, filters, target, wide);
        if (!fills) launch.With<Mixed>();
        else Dispatch(source.Map.Kind, launch);
    }

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
        GpuKernels<S> kernels, Index3D grid, PixelLoader<S> loader, ArrayView<V4> filters, Target<S> target, bool wide) : IViewLaunch
    {
        public void With<V>() where V : struct, IView
        {
            if (kernels._precision == Precision.Fp32)
                kernels.Launch(Group(grid), new ConvGemm<V>(loader.As<F32>(), filters, target.As<F32>()));
            else if (kernels._precision == Precision.Tf32) OnTensorCores<Tf32, V>();
            else OnTensorCores<Bf16, V>();
        }

        private void OnTensorCores<T, V>() where T : struct, IWord where V : struct, IView
        {
            if (wide) OnTensorCores<T, V, Wide>();
            else OnTensorCores<T, V, Narrow>();
        }

        private void OnTensorCores<T, V, D>() where T : struct, IWord where V : struct, IView where D : struct, ITile =>
            kernels.Launch(TensorGroup(grid, ConvTensorGemm<T, V, D>.Shared), new ConvTensorGemm<T, V, D>(
                loader.As<T>(), (ulong)filters.LoadEffectiveAddressAsPtr(), Lines(4 * target.Columns), filters.Cast<U4>(), target.As<T>()));
    }

    private readonly struct WeightGemmLaunch(GpuKernels<S> kernels, Index3D grid, WeightLoader<S> loader, WeightTarget target)
        : IViewLaunch
    {
        public void With<V>() where V : struct, IView
        {
            if (kernels._precision == Precision.Fp32) kernels.Launch(Group(grid), new WeightGemm<V>(loader.As<F32>(), target));
            else if (kernels._precision == Precision.Tf32)
                kernels.Launch(TensorGroup(grid, WeightTf32Gemm<V>.Shared), new WeightTf32Gemm<V>(loader.As<F32>(), target));
            else kernels.Launch(TensorGroup(grid, WeightBf16Gemm<V>.Shared), new WeightBf16Gemm<V>(loader.As<Bf16>(), target));
        }
    }

    private static KernelConfig Group(Index3D grid) => new(grid, new Index3D(GemmTile.Threads, 1, 1));

    /// <summary>Activations as they are; images are first packed as activations, their view applied.</summary>
    private Source<S> PixelSource(in ConvShape s, in Operand x) => s.InputLayout == Layout.Plain
        ? new Source<S>(PackImage(s.Input, x), default)
        : x.Source<S>();
}
