namespace Rpat.Tests.Reference;

/// <summary>Pooling over windows of size × size and over whole maps; x is (N, C, H, W).</summary>
internal static class ReferencePooling
{
    /// <summary>The mean of every map: (N, C, 1, 1).</summary>
    public static Array4 GlobalAverage(Array4 x)
    {
        Array4 y = new(x.N, x.C, 1, 1);
        for (int i = 0; i < x.Length; i++) y.Data[i / (x.H * x.W)] += x.Data[i] / (x.H * x.W);
        return y;
    }

    public static Array4 GlobalAverageBackward(Array4 x, Array4 dy)
    {
        Array4 dx = x.Like();
        for (int i = 0; i < x.Length; i++) dx.Data[i] = dy.Data[i / (x.H * x.W)] / (x.H * x.W);
        return dx;
    }

    /// <summary>The mean of every window; zero padding counts as values, so every window divides by size².</summary>
    public static Array4 Average(Array4 x, int size, Window window)
    {
        Array4 y = Output(x, size, window);
        ForEachTap(x, y, size, window, (from, to) => y.Data[to] += x.Data[from] / (size * size));
        return y;
    }

    public static Array4 AverageBackward(Array4 x, Array4 dy, int size, Window window)
    {
        Array4 dx = x.Like();
        ForEachTap(x, dy, size, window, (from, to) => dx.Data[from] += dy.Data[to] / (size * size));
        return dx;
    }

    /// <summary>The largest value of every window; padding never wins.</summary>
    public static Array4 Max(Array4 x, int size, Window window)
    {
        Array4 y = Output(x, size, window);
        int[] winners = Winners(x, y, size, window);
        for (int i = 0; i < y.Length; i++) y.Data[i] = x.Data[winners[i]];
        return y;
    }

    /// <summary>∂L/∂x of max pooling: all of a window's gradient goes to its first largest value in row order.</summary>
    public static Array4 MaxBackward(Array4 x, Array4 dy, int size, Window window)
    {
        Array4 dx = x.Like();
        int[] winners = Winners(x, dy, size, window);
        for (int i = 0; i < dy.Length; i++) dx.Data[winners[i]] += dy.Data[i];
        return dx;
    }

    private static Array4 Output(Array4 x, int size, Window window) =>
        new(x.N, x.C, window.Outputs(x.H, size), window.Outputs(x.W, size));

    private static int[] Winners(Array4 x, Array4 y, int size, Window window)
    {
        int[] winners = new int[y.Length];
        Array.Fill(winners, -1);
        ForEachTap(x, y, size, window, (from, to) =>
        {
            if (winners[to] < 0 || x.Data[from] > x.Data[winners[to]]) winners[to] = from;
        });
        return winners;
    }

    // Visits (input offset, output offset) for every tap inside the image, taps of one output in row order.
    private static void ForEachTap(Array4 x, Array4 y, int size, Window window, Action<int, int> visit)
    {
        for (int to = 0; to < y.Length; to++)
            for (int tap = 0; tap < size * size; tap++)
            {
                int iy = window.Input(to / y.W % y.H, tap / size), ix = window.Input(to % y.W, tap % size);
                if ((uint)iy >= (uint)x.H || (uint)ix >= (uint)x.W) continue;
                int map = to / (y.H * y.W);
                visit((map * x.H + iy) * x.W + ix, to);
            }
    }
}
