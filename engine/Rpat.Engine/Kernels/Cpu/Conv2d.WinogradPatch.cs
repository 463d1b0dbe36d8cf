using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The patches of an activation that Winograd's tiles read.</summary>
internal static unsafe class WinogradPatch
{
    private const int Ahead = 2; // tiles: a patch's lines lie in many pages, which the hardware does not fetch ahead by itself

    /// <summary>
    /// V of a run of tiles; block by block, so that neighbouring tiles read neighbouring pixels.
    /// </summary>
    /// <param name="x">Activations, their view applied.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="first">First tile.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="v">Result.</param>
    /// <param name="step">Distance of positions.</param>
    /// <param name="tileStep">Distance of tiles.</param>
    /// <param name="blockStep">Distance of channel blocks.</param>
    /// <param name="patch">36 vectors.</param>
    public static void Transform(in Affine x, in WinogradShape shape, int first, int count, float* v, nint step, nint tileStep, nint blockStep, float* patch)
    {
        for (int block = 0; block < shape.InputBlocks; block++)
            for (int i = 0; i < count; i++)
            {
                Load(x, shape, block, shape.Place(first + i), patch);
                WinogradTransform.Input(patch, v + i * tileStep + block * blockStep, step);
            }
    }

    /// <summary>The 6×6 inputs of a tile, the view applied, zeros outside the image, row-major vectors.</summary>
    private static void Load(in Affine x, in WinogradShape shape, int block, (int N, int Y, int X) at, float* d)
    {
        int y0 = at.Y - 1, x0 = at.X - 1;
        int top = Math.Max(0, -y0), bottom = Math.Min(6, shape.H - y0), left = Math.Max(0, -x0), right = Math.Min(6, shape.W - x0);
        nint row = (nint)shape.W * Blocks.Size;
        float* from = x.Data + (((long)at.N * shape.InputBlocks + block) * shape.H + y0) * row + (long)x0 * Blocks.Size;
        Prefetch(from + Ahead * 4 * Blocks.Size, row);
        if (bottom - top + right - left < 12) Clear(d);
        if (x.IsMap) Map(x.ScaleOf(block), x.ShiftOf(block), x.Floor, from, row, d, top, bottom, left, right);
        else Copy(from, row, d, top, bottom, left, right);
    }

    private static void Prefetch(float* from, nint row)
    {
        if (!Sse.IsSupported) return;
        for (int i = 0; i < 6; i++, from += row)
            for (int j = 2 * Blocks.Size; j < 6 * Blocks.Size; j += Blocks.Size)
                Sse.Prefetch0(from + j);
    }

    private static void Clear(float* d)
    {
        for (float* end = d + 36 * Blocks.Size; d < end; d += 4 * Blocks.Size)
        {
            Vec.Zero.Store(d);
            Vec.Zero.Store(d + 16);
            Vec.Zero.Store(d + 32);
            Vec.Zero.Store(d + 48);
        }
    }

    private static void Copy(float* from, nint row, float* d, int top, int bottom, int left, int right)
    {
        for (int i = top; i < bottom; i++)
        {
            float* p = from + i * row, to = d + i * 96;
            for (int j = left * 16; j < right * 16; j += 16) Vector512.Load(p + j).Store(to + j);
        }
    }

    private static void Map(Vec scale, Vec shift, Vec floor, float* from, nint row, float* d, int top, int bottom, int left, int right)
    {
        for (int i = top; i < bottom; i++)
        {
            float* p = from + i * row, to = d + i * 96;
            for (int j = left * 16; j < right * 16; j += 16)
                Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(p + j), scale, shift), floor).Store(to + j);
        }
    }

    /// <summary>The 4×4 outputs of a tile of a stored tensor, zeros outside, row-major vectors.</summary>
    public static void LoadOutputs(float* y, int block, int blocks, in WinogradShape shape, (int N, int Y, int X) at, float* d)
    {
        float* plane = y + ((long)at.N * blocks + block) * shape.H * shape.W * Blocks.Size;
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++, d += Blocks.Size)
            {
                bool inside = at.Y + i < shape.H && at.X + j < shape.W;
                (inside ? Vector512.Load(plane + ((long)(at.Y + i) * shape.W + at.X + j) * Blocks.Size) : Vec.Zero).Store(d);
            }
    }
}
