using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : ICropFlipKernels
{
    public void CropFlip(in CropFlipOf how, DeviceBuffer pixels, ReadOnlySpan<int> indices, DeviceBuffer images)
    {
        if (indices.IsEmpty) return;
        var numbers = _scratch.Words(ScratchSlot.Samples, indices.Length).Cast<int>();
        staging.Upload(indices, numbers);
        PhiloxBlock counter = (how.Key with { Sample = 0 }).Stream().Counter(0);
        var draws = new SampleDraws(how.Key.Seed, numbers, counter.W2, counter.W3);
        var window = new CropWindow(how.Image.H, how.Image.W, how.Options);
        ForEach((long)indices.Length * how.Image.SampleCount, new CropFlipValue(
            indices.Length, how.Image.C, window, draws, numbers, pixels.Ints(), images.Floats()));
    }
}

/// <summary>One value of a batch.</summary>
internal readonly struct CropFlipValue(
    int n, int channels, CropWindow window, SampleDraws draws, ArrayView<int> indices, ArrayView<int> pixels, ArrayView<float> images)
        : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, row = i / window.Width, plane = row / window.Height, sample = plane / channels;
        if (sample >= n) return;
        int x = i - row * window.Width, y = row - plane * window.Height;
        int from = window.Find(y, x, draws.Block(sample, 0), draws.Block(sample, 1));
        float value = 0;
        if (from >= 0)
        {
            int at = (indices[sample] * channels + plane - sample * channels) * window.Height * window.Width + from;
            value = (pixels[at >> 2] >> 8 * (at & 3) & 255) / 255f;
        }
        images[i] = value;
    }
}

/// <summary>
/// Which pixel a pixel of an augmented image is copied from; the draws are those of the CPU's <see cref="Images.Augmentation"/>.
/// </summary>
internal readonly struct CropWindow(int height, int width, in AugmentOptions options)
{
    private readonly int _pad = options.Pad;
    private readonly int _cutout = options.Cutout;
    private readonly int _reflect = options.Border == CropBorder.Reflect ? 1 : 0;
    private readonly int _flip = options.Flip ? 1 : 0;

    public readonly int Height = height;
    public readonly int Width = width;

    /// <summary>Index in its plane of the pixel that pixel (y, x) shows, or -1 where it is black.</summary>
    /// <param name="words">Draws 0 to 3: rows down, columns right, flip.</param>
    /// <param name="more">Draws 4 to 7: row and column of Cutout's centre.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int y, int x, PhiloxBlock words, PhiloxBlock more)
    {
        if (_cutout > 0 && Covers(y, Below(more.W0, Height)) && Covers(x, Below(more.W1, Width))) return -1;
        bool mirrored = _flip != 0 && Below(words.W2, 2) == 1;
        int row = y + Below(words.W0, 2 * _pad + 1) - _pad;
        int column = (mirrored ? Width - 1 - x : x) + Below(words.W1, 2 * _pad + 1) - _pad;
        if (_reflect != 0) return Reflect(row, Height) * Width + Reflect(column, Width);
        return row < 0 || row >= Height || column < 0 || column >= Width ? -1 : row * Width + column;
    }

    /// <summary>Whether a position lies within the square's extent around its centre.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Covers(int place, int centre) => place >= centre - _cutout / 2 && place < centre - _cutout / 2 + _cutout;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Below(uint word, int n) => (int)((ulong)word * (uint)n >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Reflect(int place, int size) => place < 0 ? -place : place < size ? place : 2 * (size - 1) - place;
}
