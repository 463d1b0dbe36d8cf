using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Graphs;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>What scratch memory is used for; two uses within one op may not share a slot.</summary>
internal enum ScratchSlot
{
    /// <summary>Images packed as activations.</summary>
    Image,

    /// <summary>Partial sums of a reduction that is split across groups.</summary>
    Partial,

    /// <summary>Coefficients that a reduction leaves for the next pass.</summary>
    Linear,

    /// <summary>Weights in the order in which an op reads them.</summary>
    Weights,

    /// <summary>Indices of samples or rows, from the host.</summary>
    Samples,

    /// <summary>Values being converted between the host's layout and the device's.</summary>
    Transfer,
}

/// <summary>
/// Device memory that lives for one op. Since ops of a device run one after another, each slot is one block that only grows: after
/// the first step nothing is allocated.
/// </summary>
internal sealed class Scratch(IWorkQueue queue, AcceleratorStream stream, CaptureGuard capture)
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense>?[] _blocks =
        new MemoryBuffer1D<float, Stride1D.Dense>?[Enum.GetValues<ScratchSlot>().Length];

    /// <summary>How often a block has moved: recorded work that uses it must be recorded again.</summary>
    public long Moves { get; private set; }

    /// <summary>Room for that many words; the slot's previous contents are lost.</summary>
    public ArrayView<float> Words(ScratchSlot slot, long words)
    {
        ref var block = ref _blocks[(int)slot];
        if (block is null || block.Length < words)
        {
            var old = block;
            block = null; // remains null if the allocation fails
            block = Grow(old, words);
        }
        return block.View.BaseView.SubView(0, words);
    }

    /// <summary>Room for that many quads.</summary>
    public ArrayView<V4> Quads(ScratchSlot slot, long quads) => Words(slot, 4 * quads).Cast<V4>();

    public void Free()
    {
        for (int i = 0; i < _blocks.Length; i++)
        {
            _blocks[i]?.Dispose();
            _blocks[i] = null;
        }
    }

    private MemoryBuffer1D<float, Stride1D.Dense> Grow(MemoryBuffer1D<float, Stride1D.Dense>? old, long words)
    {
        capture.Forbid("allocates memory");
        Moves++;
        stream.Synchronize(); // queued kernels may still use the old block
        old?.Dispose();
        return queue.Allocate((words + 3) / 4 * 4);
    }
}
