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

    /// <summary>Rows of G: the filter's polynomial at the six points.</summary>
    private static readonly double[,] G =
    {
        { 1 / 4.0, 0, 0 }, { -1 / 6.0, -1 / 6.0, -1 / 6.0 }, { -1 / 6.0, 1 / 6.0, -1 / 6.0 },
        { 1 / 24.0, 1 / 12.0, 1 / 6.0 }, { 1 / 24.0, -1 / 12.0, 1 / 6.0 }, { 0, 0, 1 },
    };

    /// <summary>Bᵀ d B of a 6×6 patch of vectors; position p of the result goes to <c>v + p·step</c>.</summary>
    /// <param name="d">Patch, row-major, 16 floats an element; overwritten.</param>
    /// <param name="v">Result.</param>
    /// <param name="step">Distance of positions.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* d, float* v, nint step)
    {
        for (int j = 0; j < Inputs; j++)
        {
            float* p = d + j * Blocks.Size;
            Vec d0 = Vector512.Load(p), d1 = Vector512.Load(p + 96), d2 = Vector512.Load(p + 192);
            Vec d3 = Vector512.Load(p + 288), d4 = Vector512.Load(p + 384), d5 = Vector512.Load(p + 480);
            Vec four = Vector512.Create(4f), five = Vector512.Create(-5f), two = Vector512.Create(2f);
            Vec a = Vector512.MultiplyAddEstimate(d2, -four, d4), b = Vector512.MultiplyAddEstimate(d1, -four, d3);
            Vec c = d4 - d2, e = (d3 - d1) * two;
            Vector512.MultiplyAddEstimate(d0, four, Vector512.MultiplyAddEstimate(d2, five, d4)).Store(p);
            (a + b).Store(p + 96);
            (a - b).Store(p + 192);
            (c + e).Store(p + 288);
            (c - e).Store(p + 384);
            Vector512.MultiplyAddEstimate(d1, four, Vector512.MultiplyAddEstimate(d3, five, d5)).Store(p + 480);
        }
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

    /// <summary>G g Gᵀ of one 3×3 filter, in double so that only the result is rounded.</summary>
    public static void Filter(ReadOnlySpan<float> g, Span<double> u)
    {
        Span<double> t = stackalloc double[18]; // G g: 6×3
        for (int i = 0; i < Inputs; i++)
            for (int j = 0; j < 3; j++)
                t[i * 3 + j] = G[i, 0] * g[j] + G[i, 1] * g[3 + j] + G[i, 2] * g[6 + j];
        for (int i = 0; i < Inputs; i++)
            for (int j = 0; j < Inputs; j++)
                u[i * Inputs + j] = t[i * 3] * G[j, 0] + t[i * 3 + 1] * G[j, 1] + t[i * 3 + 2] * G[j, 2];
    }

    /// <summary>Gᵀ u G, the adjoint of <see cref="Filter"/>.</summary>
    public static void FilterAdjoint(ReadOnlySpan<double> u, Span<double> g)
    {
        Span<double> t = stackalloc double[18]; // Gᵀ u: 3×6
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < Inputs; j++)
            {
                double sum = 0;
                for (int l = 0; l < Inputs; l++) sum += G[l, i] * u[l * Inputs + j];
                t[i * Inputs + j] = sum;
            }
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
            {
                double sum = 0;
                for (int l = 0; l < Inputs; l++) sum += t[i * Inputs + l] * G[l, j];
                g[i * 3 + j] = sum;
            }
    }
}
