using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Batch norm on <c>[pixels][channel quads]</c>. Reductions run over chunks of pixels in float32, relative to a value of the chunk, then
/// over the chunks in double precision; both in fixed order.
/// </summary>
internal sealed partial class GpuKernels<S> : IBatchNorm2dKernels
{
    public void BatchNormTrain(Shape shape, DeviceBuffer x, in BatchNormState state, bool moveRunning, in BatchNormSaved saved)
    {
        var chunks = Chunks.Of(shape);
        var partial = _scratch.Quads(ScratchSlot.Partial, chunks.PartialQuads);
        Launch(chunks.Grid, new ChunkMoments<S>(x.Stored<S>(), chunks, partial));
        ForEachWarp(4 * chunks.Quads, new FinishMoments(partial.Cast<float>(), chunks, Norm(shape.C, state, saved), moveRunning ? 1 : 0));
    }

    public void BatchNormEval(int channels, in BatchNormState state, in BatchNormSaved saved) =>
        ForEach(4 * ChannelQuads(channels), new EvalAffine(Norm(channels, state, saved)));

    public void BatchNormBackward(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, bool batchStatistics,
        BatchNormGradients gradients)
    {
        var chunks = Chunks.Of(shape);
        var gate = new NormGate<S>(x.Stored<S>(), dh.Stored<S>(), saved.Scale.Quads(), saved.Shift.Quads(), relu ? 1 : 0);
        var partial = _scratch.Quads(ScratchSlot.Partial, chunks.PartialQuads);
        var linear = _scratch.Quads(ScratchSlot.Linear, 2 * chunks.Quads);
        Launch(chunks.Grid, new ChunkGradients<S>(gate, saved.Mean.Quads(), saved.InvStd.Quads(), chunks, partial));
        ForEachWarp(4 * chunks.Quads, new FinishGradients(
            partial.Cast<float>(), chunks, shape.C, saved.Mean.Floats(), saved.InvStd.Floats(), saved.Scale.Floats(),
            batchStatistics ? 1 : 0,
            FloatsOrNone(gradients.Gamma), FloatsOrNone(gradients.Beta), gradients.AddParameters ? 1 : 0, linear.Cast<float>()));
        if (gradients.X is { } dx)
            ForEach(ActivationQuads(shape), new NormGradient<S>(gate, linear, chunks.Quads, gradients.AddX ? 1 : 0, dx.Stored<S>()));
    }

    public void BatchNormInputGradient(
        Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, DeviceBuffer lines, bool add, DeviceBuffer dx)
    {
        var gate = new NormGate<S>(x.Stored<S>(), dh.Stored<S>(), saved.Scale.Quads(), saved.Shift.Quads(), relu ? 1 : 0);
        ForEach(ActivationQuads(shape), new NormGradient<S>(gate, lines.Quads(), ChannelQuads(shape.C), add ? 1 : 0, dx.Stored<S>()));
    }

    private static NormVectors Norm(int channels, in BatchNormState state, in BatchNormSaved saved) => new(
        channels, state.Gamma.Floats(), state.Beta.Floats(), state.RunningMean.Floats(), state.RunningVar.Floats(),
        saved.Mean.Floats(), saved.InvStd.Floats(), saved.Scale.Floats(), saved.Shift.Floats(), state.Epsilon, state.Momentum);

    private static ArrayView<float> FloatsOrNone(DeviceBuffer? buffer) => buffer is null ? default : buffer.Floats();
}

/// <summary>
/// How a reduction over pixels is split: a group takes a chunk of pixels and 16 quads of channels; a thread takes one quad and every 16th
/// pixel.
/// </summary>
internal readonly struct Chunks
{
    public const int GroupQuads = 16, GroupRows = 16;

    /// <summary>Pixels of the tensor.</summary>
    public int Pixels { get; private init; }

    /// <summary>Quads of a pixel.</summary>
    public int Quads { get; private init; }

    /// <summary>Pixels of a chunk; the last may have fewer.</summary>
    public int Length { get; private init; }

    /// <summary>Number of chunks.</summary>
    public int Count { get; private init; }

    /// <summary>Two quads per chunk and channel quad.</summary>
    public long PartialQuads => 2L * Count * Quads;

    public KernelConfig Grid =>
        new(new Index3D((Quads + GroupQuads - 1) / GroupQuads, Count, 1), new Index3D(GroupQuads * GroupRows, 1, 1));

    /// <summary>Depends on the shape alone, so that sums do not depend on the GPU.</summary>
    public static Chunks Of(Shape s)
    {
        const int groups = 1024, least = 4 * GroupRows; // groups that keep a large GPU's memory busy; pixels that are worth a group
        int pixels = s.N * s.Area, quads = GpuKernels.ChannelQuads(s.C), columns = (quads + GroupQuads - 1) / GroupQuads;
        int length = Math.Max(least, (pixels + groups / columns - 1) / Math.Max(1, groups / columns));
        return new Chunks { Pixels = pixels, Quads = quads, Length = length, Count = (pixels + length - 1) / length };
    }
}
