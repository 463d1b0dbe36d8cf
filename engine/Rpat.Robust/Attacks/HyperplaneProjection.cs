namespace Rpat.Robust.Attacks;

/// <summary>
/// The smallest move δ of a point z of the box onto the hyperplane w·v = b that stays in the box [0,1] (attacks.md 2.5). Useful moves
/// go against sign(w·(w·z − b)) by at most the room in that direction: h_i = min(t, room_i) for L∞ and min(t·|w_i|, room_i) for L2, with
/// the one t that reaches the hyperplane. If it is out of reach the result is the nearest corner.
/// </summary>
internal static class HyperplaneProjection
{
    private const double Tiny = 1e-8; // the reference's L2 and L1 routines do not move such coordinates

    /// <summary>δ of minimal max|δ|.</summary>
    public static double[] Linf(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b) => Project(z, w, b, 0, squared: false);

    /// <summary>δ of minimal ‖δ‖₂.</summary>
    public static double[] L2(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b) => Project(z, w, b, Tiny, squared: true);

    /// <summary>δ of minimal ‖δ‖₁: the values of largest |w| move first, each as far as the box lets it.</summary>
    public static double[] L1(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b)
    {
        var (rest, sign) = Side(z, w, b);
        var (moves, keys, order) = (new double[w.Length], new float[w.Length], new int[w.Length]);
        for (int i = 0; i < w.Length; i++) (keys[i], order[i]) = (-Math.Abs(w[i]), i);
        Array.Sort(keys, order);
        foreach (int i in order)
        {
            double a = Math.Abs((double)w[i]);
            if (!(rest > 0 && a > Tiny)) break;
            double gained = Math.Min(rest, a * Room(z[i], sign * w[i]));
            (moves[i], rest) = (-sign * gained / w[i], rest - gained);
        }
        return moves;
    }

    private static double[] Project(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b, double tiny, bool squared)
    {
        var (rest, sign) = Side(z, w, b);
        double[] moves = new double[w.Length], slope = new double[w.Length], full = new double[w.Length];
        for (int i = 0; i < moves.Length; i++)
        {
            double a = Math.Abs((double)w[i]);
            if (!(a > tiny)) continue;
            (slope[i], full[i]) = (squared ? a * a : a, a * Room(z[i], sign * w[i]));
        }
        double level = Level(slope, full, rest);
        for (int i = 0; i < moves.Length; i++)
        {
            if (slope[i] == 0) continue;
            double gained = Math.Min(level * slope[i], full[i]);
            moves[i] = -sign * gained / w[i];
        }
        return moves;
    }

    /// <summary>
    /// The t at which Σ min(t·slope_i, full_i) = rest, or infinity. The sum is concave in t, so Newton's steps from 0 never pass the
    /// root, and each but the last saturates another coordinate: a few passes instead of a sort.
    /// </summary>
    private static double Level(double[] slope, double[] full, double rest)
    {
        for (double level = 0; ;)
        {
            double used = 0, active = 0;
            for (int i = 0; i < slope.Length; i++)
            {
                bool saturated = level * slope[i] >= full[i];
                used += saturated ? full[i] : 0;
                active += saturated ? 0 : slope[i];
            }
            if (active == 0) return double.PositiveInfinity;
            double next = (rest - used) / active;
            if (!(next > level)) return level;
            level = next;
        }
    }

    // How far w·z is from b, and on which side.
    private static (double Amount, int Sign) Side(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b)
    {
        double r = -b;
        for (int i = 0; i < z.Length; i++) r += (double)w[i] * z[i];
        return (Math.Abs(r), r < 0 ? -1 : 1);
    }

    /// <summary>How far a coordinate can move against a slope.</summary>
    private static double Room(float z, float slope) => slope > 0 ? z : 1 - (double)z;
}
