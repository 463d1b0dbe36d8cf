using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The transforms of Winograd's F(4×4, 3×3) with interpolation points 0, ±1, ±2, ∞ (Lavin and Gray, 2015), 16 channels at a
/// time: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A takes 36 products for 16 outputs instead of 144. A gradient with respect to the filter
/// is the adjoint: Gᵀ[(Bᵀ d B) ⊙ (A y Aᵀ)]G.
/// </summary>
internal static unsafe class WinogradTransform
{
    /// <summary>Outputs on a side.</summary>
    public const int Outputs = 4;

    /// <summary>Inputs on a side.</summary>
    public const int Inputs = 6;

    /// <summary>Products a tile and channel pair.</summary>
    public const int Positions = Inputs * Inputs;

    /// <summary>
    /// Bᵀ d, the first axis of Bᵀ d B: the columns of a 6×6 patch with the view applied to them. The rows 1 to 4 lie inside the image;
    /// what lies outside counts as zero.
    /// </summary>
    /// <param name="d">First element of the patch, 16 floats an element; may lie outside.</param>
    /// <param name="row">Distance of rows.</param>
    /// <param name="inside">What part of the patch lies inside.</param>
    /// <param name="map">The view.</param>
    /// <param name="t">Result, row-major; may be <paramref name="d"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputColumns<TView>(float* d, nint row, in PatchInside inside, in BlockMap map, float* t) where TView : IView
    {
        Vec scale = map.Scale, shift = map.Shift, floor = map.Floor;
        Vec four = Vector512.Create(4f), five = Vector512.Create(-5f), two = Vector512.Create(2f);
        bool top = inside.Top, bottom = inside.Bottom;
        int left = inside.Left, right = inside.Right;
        for (int j = 0; j < Inputs; j++, d += Blocks.Size, t += Blocks.Size)
        {
            Vec d0 = Vec.Zero, d1 = Vec.Zero, d2 = Vec.Zero, d3 = Vec.Zero, d4 = Vec.Zero, d5 = Vec.Zero;
            if (j >= left && j < right)
            {
                float* p = d;
                if (top) d0 = TView.Of(Vector512.Load(p), scale, shift, floor);
                d1 = TView.Of(Vector512.Load(p += row), scale, shift, floor);
                d2 = TView.Of(Vector512.Load(p += row), scale, shift, floor);
                d3 = TView.Of(Vector512.Load(p += row), scale, shift, floor);
                d4 = TView.Of(Vector512.Load(p += row), scale, shift, floor);
                if (bottom) d5 = TView.Of(Vector512.Load(p + row), scale, shift, floor);
            }
            Vec a = Vector512.MultiplyAddEstimate(d2, -four, d4), b = Vector512.MultiplyAddEstimate(d1, -four, d3);
            Vec c = d4 - d2, e = (d3 - d1) * two;
            Vector512.MultiplyAddEstimate(d0, four, Vector512.MultiplyAddEstimate(d2, five, d4)).Store(t);
            (a + b).Store(t + 96);
            (a - b).Store(t + 192);
            (c + e).Store(t + 288);
            (c - e).Store(t + 384);
            Vector512.MultiplyAddEstimate(d1, four, Vector512.MultiplyAddEstimate(d3, five, d5)).Store(t + 480);
        }
    }

    /// <summary>The second axis of Bᵀ d B: position p of the result goes to <c>v + p·step</c>.</summary>
    /// <param name="d">Bᵀ d, row-major, 36 vectors.</param>
    /// <param name="v">Result.</param>
    /// <param name="step">Distance of positions.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputRows(float* d, float* v, nint step)
    {
        for (int i = 0; i < Inputs; i++, d += 96)
        {
            Vec d0 = Vector512.Load(d), d1 = Vector512.Load(d + 16), d2 = Vector512.Load(d + 32);
            Vec d3 = Vector512.Load(d + 48), d4 = Vector512.Load(d + 64), d5 = Vector512.Load(d + 80);
            Vec four = Vector512.Create(4f), five = Vector512.Create(-5f), two = Vector512.Create(2f);
            Vec a = Vector512.MultiplyAddEstimate(d2, -four, d4), b = Vector512.MultiplyAddEstimate(d1, -four, d3);
            Vec c = d4 - d2, e = (d3 - d1) * two;
            Vector512.MultiplyAddEstimate(d0, four, Vector512.MultiplyAddEstimate(d2, five, d4)).Store(v);
            v += step;
            (a + b).Store(v);
            v += step;
            (a - b).Store(v);
            v += step;
            (c + e).Store(v);
            v += step;
            (c - e).Store(v);
            v += step;
            Vector512.MultiplyAddEstimate(d1, four, Vector512.MultiplyAddEstimate(d3, five, d5)).Store(v);
            v += step;
        }
    }

    /// <summary>Aᵀ m A: 6×6 positions at distance <paramref name="step"/> to a 4×4 patch of vectors, row-major.</summary>
    /// <param name="m">First position.</param>
    /// <param name="step">Distance of positions.</param>
    /// <param name="y">Result, 16 vectors; 24 are used.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* m, nint step, float* y)
    {
        nint row = 6 * step;
        for (int j = 0; j < Inputs; j++, m += step)
        {
            Vec m0 = Vector512.Load(m), m1 = Vector512.Load(m + row), m2 = Vector512.Load(m + 2 * row);
            Vec m3 = Vector512.Load(m + 3 * row), m4 = Vector512.Load(m + 4 * row), m5 = Vector512.Load(m + 5 * row);
            Vec a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
            float* p = y + j * Blocks.Size;
            (m0 + a + c).Store(p);
            Vector512.MultiplyAddEstimate(d, Vector512.Create(2f), b).Store(p + 96);
            Vector512.MultiplyAddEstimate(c, Vector512.Create(4f), a).Store(p + 192);
            (Vector512.MultiplyAddEstimate(d, Vector512.Create(8f), b) + m5).Store(p + 288);
        }
        float* to = y;
        for (int i = 0; i < Outputs; i++, y += 96, to += 64)
        {
            Vec m0 = Vector512.Load(y), m1 = Vector512.Load(y + 16), m2 = Vector512.Load(y + 32);
            Vec m3 = Vector512.Load(y + 48), m4 = Vector512.Load(y + 64), m5 = Vector512.Load(y + 80);
            Vec a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
            (m0 + a + c).Store(to);
            Vector512.MultiplyAddEstimate(d, Vector512.Create(2f), b).Store(to + 16);
            Vector512.MultiplyAddEstimate(c, Vector512.Create(4f), a).Store(to + 32);
            (Vector512.MultiplyAddEstimate(d, Vector512.Create(8f), b) + m5).Store(to + 48);
        }
    }

    /// <summary>A y Aᵀ, the adjoint of <see cref="Output"/>: a 4×4 patch of vectors to 6×6 positions.</summary>
    /// <param name="y">Patch, row-major, 16 vectors.</param>
    /// <param name="temp">24 vectors.</param>
    /// <param name="v">Result.</param>
    /// <param name="step">Distance of positions.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputAdjoint(float* y, float* temp, float* v, nint step)
    {
        for (int j = 0; j < Outputs; j++)
        {
            float* p = y + j * Blocks.Size;
            Vec y0 = Vector512.Load(p), y1 = Vector512.Load(p + 64), y2 = Vector512.Load(p + 128), y3 = Vector512.Load(p + 192);
            Vec a = y0 + y2, b = y1 + y3;
            Vec c = Vector512.MultiplyAddEstimate(y2, Vector512.Create(4f), y0);
            Vec d = Vector512.Create(2f) * Vector512.MultiplyAddEstimate(y3, Vector512.Create(4f), y1);
            float* t = temp + j * Blocks.Size;
            y0.Store(t);
            (a + b).Store(t + 64);
            (a - b).Store(t + 128);
            (c + d).Store(t + 192);
            (c - d).Store(t + 256);
            y3.Store(t + 320);
        }
        for (int i = 0; i < Inputs; i++, temp += 64)
        {
            Vec y0 = Vector512.Load(temp), y1 = Vector512.Load(temp + 16), y2 = Vector512.Load(temp + 32), y3 = Vector512.Load(temp + 48);
            Vec a = y0 + y2, b = y1 + y3;
            Vec c = Vector512.MultiplyAddEstimate(y2, Vector512.Create(4f), y0);
            Vec d = Vector512.Create(2f) * Vector512.MultiplyAddEstimate(y3, Vector512.Create(4f), y1);
            y0.Store(v);
            v += step;
            (a + b).Store(v);
            v += step;
            (a - b).Store(v);
            v += step;
            (c + d).Store(v);
            v += step;
            (c - d).Store(v);
            v += step;
            y3.Store(v);
            v += step;
        }
    }

    /// <summary>G g Gᵀ of sixteen 3×3 filters at once: tap t of lane l at <c>g[16·t + l]</c>.</summary>
    /// <param name="g">Nine vectors; eighteen are used.</param>
    /// <param name="u">Result, position p at <c>u + p·step</c>.</param>
    /// <param name="step">Distance of positions.</param>
    public static void Filter(float* g, float* u, nint step)
    {
        float* t = g + 9 * Blocks.Size; // G g: 6×3
        for (int j = 0; j < 3; j++)
            FilterAxis(g + j * Blocks.Size, 3 * Blocks.Size, t + j * Blocks.Size, 3 * Blocks.Size, final: false);
        for (int i = 0; i < Inputs; i++)
            FilterAxis(t + 3 * i * Blocks.Size, Blocks.Size, u + 6 * i * step, step, final: true);
    }

    /// <summary>Gᵀ u G of sixteen filters at once, the adjoint of <see cref="Filter"/>.</summary>
    /// <param name="u">36 vectors, row-major.</param>
    /// <param name="temp">18 vectors.</param>
    /// <param name="g">Nine vectors.</param>
    public static void FilterAdjoint(float* u, float* temp, float* g)
    {
        for (int j = 0; j < Inputs; j++)
            FilterAdjointAxis(u + j * Blocks.Size, 6 * Blocks.Size, temp + j * Blocks.Size, 6 * Blocks.Size);
        for (int i = 0; i < 3; i++)
            FilterAdjointAxis(temp + 6 * i * Blocks.Size, Blocks.Size, g + 3 * i * Blocks.Size, Blocks.Size);
    }

    /// <summary>
    /// G's rows on three values: the filter's polynomial at 0, ±1, ±2, ∞, scaled by 1/4, −1/6, −1/6, 1/24, 1/24, 1. The final
    /// values are many and needed later: they go past the caches.
    /// </summary>
    private static void FilterAxis(float* from, nint fromStep, float* to, nint toStep, bool final)
    {
        Vec g0 = Vector512.Load(from), g1 = Vector512.Load(from + fromStep), g2 = Vector512.Load(from + 2 * fromStep);
        Vec sixth = Vector512.Create(-1 / 6f), far = Vector512.MultiplyAddEstimate(g2, Vector512.Create(4f), g0) * Vector512.Create(1 / 24f);
        Vec odd = g1 * Vector512.Create(1 / 12f), even = g0 + g2;
        Put(g0 * Vector512.Create(0.25f), to, final);
        Put((even + g1) * sixth, to + toStep, final);
        Put((even - g1) * sixth, to + 2 * toStep, final);
        Put(far + odd, to + 3 * toStep, final);
        Put(far - odd, to + 4 * toStep, final);
        Put(g2, to + 5 * toStep, final);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(Vec value, float* to, bool final)
    {
        if (final) value.StoreAlignedNonTemporal(to);
        else value.Store(to);
    }

    /// <summary>Gᵀ's rows on six values.</summary>
    private static void FilterAdjointAxis(float* from, nint fromStep, float* to, nint toStep)
    {
        Vec u0 = Vector512.Load(from), u1 = Vector512.Load(from + fromStep), u2 = Vector512.Load(from + 2 * fromStep);
        Vec u3 = Vector512.Load(from + 3 * fromStep), u4 = Vector512.Load(from + 4 * fromStep), u5 = Vector512.Load(from + 5 * fromStep);
        Vec near = (u1 + u2) * Vector512.Create(-1 / 6f), far = (u3 + u4) * Vector512.Create(1 / 24f);
        (Vector512.MultiplyAddEstimate(u0, Vector512.Create(0.25f), near) + far).Store(to);
        Vector512.MultiplyAddEstimate(u3 - u4, Vector512.Create(1 / 12f), (u1 - u2) * Vector512.Create(-1 / 6f)).Store(to + toStep);
        (Vector512.MultiplyAddEstimate(far, Vector512.Create(4f), near) + u5).Store(to + 2 * toStep);
    }
}
