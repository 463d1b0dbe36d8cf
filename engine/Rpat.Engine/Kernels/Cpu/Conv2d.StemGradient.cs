using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Input gradient of the first layer: few channels, so the vector lanes run over filters instead, and each pixel and channel
/// ends in one sum over the lanes. The result is plain. One item an image.
/// </summary>
internal readonly unsafe struct StemGradientJob(ConvShape s, StridePhases phases, float* dy, float* w, Affine through, float* add, float* dx) : IJob
{
    private const int Pixels = 8; // one accumulator each

    private readonly int _kb = Blocks.Count(s.K);
    private readonly int _behind = phases.Behind(s);
    private readonly int _height = s.P + phases.Low + phases.Behind(s);
    private readonly int _width = s.Q + phases.Low + phases.Behind(s);

    public void Run(int index, Worker worker)
    {
        float* packed = worker.Scratch(0, (long)_kb * _height * _width * Blocks.Size + PackImage.Slack);
        PackImage.Blocked(new Affine(dy), (long)index * _kb * s.P * s.Q * Blocks.Size, _kb, s.P, s.Q, phases.Low, _behind, packed);
        nint* offsets = (nint*)worker.Scratch(1, 2 * _kb * s.R * s.R);
        float* sums = worker.Scratch(2, Pixels);
        float* b = w;
        foreach (var phase in phases.All)
        {
            int terms = FillOffsets(phase, offsets);
            for (int c = 0; c < s.C; c++, b += terms * Blocks.Size)
                Plane(packed, index, c, phase, offsets, terms, b, sums);
        }
    }

    /// <summary>All pixels of one parity and channel.</summary>
    private void Plane(float* packed, int n, int c, StridePhases.Phase phase, nint* offsets, int terms, float* b, float* sums)
    {
        int width = (s.Input.W - phase.X + s.Stride - 1) / s.Stride;
        float scale = through.Scale == null ? 1 : through.Scale[c];
        for (int i = 0; i * s.Stride + phase.Y < s.Input.H; i++)
        {
            float* a = packed + ((long)(i + phases.Low) * _width + phases.Low) * Blocks.Size;
            long row = ((long)n * s.C + c) * s.Input.Area + (long)(i * s.Stride + phase.Y) * s.Input.W + phase.X;
            for (int j = 0; j < width; j += Pixels)
            {
                EightSums(a + (long)j * Blocks.Size, offsets, terms, b, sums);
                for (int p = 0; p < Math.Min(Pixels, width - j); p++)
                {
                    long at = row + (long)(j + p) * s.Stride;
                    dx[at] = scale * sums[p] + (add == null ? 0 : add[at]);
                }
            }
        }
    }

    /// <summary>sums[p] = Σ over terms t and lanes of a[offsets[t] + p]·b[t], for eight neighbouring pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightSums(float* a, nint* offsets, int terms, float* b, float* sums)
    {
        Vec c0 = Vec.Zero, c1 = Vec.Zero, c2 = Vec.Zero, c3 = Vec.Zero, c4 = Vec.Zero, c5 = Vec.Zero, c6 = Vec.Zero, c7 = Vec.Zero;
        for (int t = 0; t < terms; t++, b += Blocks.Size)
        {
            float* p = a + offsets[t];
            Vec w = Vector512.Load(b);
            c0 = Vector512.MultiplyAddEstimate(Vector512.Load(p), w, c0);
            c1 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 16), w, c1);
            c2 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 32), w, c2);
            c3 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 48), w, c3);
            c4 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 64), w, c4);
            c5 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 80), w, c5);
            c6 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 96), w, c6);
            c7 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 112), w, c7);
        }
        (sums[0], sums[1], sums[2], sums[3]) = (Vector512.Sum(c0), Vector512.Sum(c1), Vector512.Sum(c2), Vector512.Sum(c3));
        (sums[4], sums[5], sums[6], sums[7]) = (Vector512.Sum(c4), Vector512.Sum(c5), Vector512.Sum(c6), Vector512.Sum(c7));
    }

    private int FillOffsets(StridePhases.Phase phase, nint* offsets)
    {
        int count = 0;
        foreach (var tap in phase.Taps)
            for (int b = 0; b < _kb; b++)
                offsets[count++] = (((nint)b * _height + tap.OffsetY) * _width + tap.OffsetX) * Blocks.Size;
        return count;
    }
}
