namespace Rpat.Robust;

/// <summary>
/// The smallest move δ of a point z of the box onto the hyperplane w·v = b that stays in the box [0,1] (attacks.md 2.5). Useful moves
/// go against sign(w·(w·z − b)) by at most the room in that direction, so coordinates saturate in the order of room (L∞) or of
/// room/|w| (L2): one sort and one sweep find the answer. Where the hyperplane is out of reach the answer is the nearest corner.
/// </summary>
internal static class HyperplaneProjection
{
    private const double Tiny = 1e-8; // the reference's L2 routine does not move such coordinates

    /// <summary>δ of least max|δ|.</summary>
    public static double[] Linf(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b)
    {
        var (rest, sign) = Side(z, w, b);
        double[] room = Room(z, w, sign), keys = (double[])room.Clone();
        int[] order = Order(keys, w, 0);
        double slope = 0;
        foreach (int i in order) slope += Math.Abs((double)w[i]);
        double level = double.PositiveInfinity;
        foreach (int i in order)
        {
            if (slope * room[i] >= rest)
            {
                level = rest / slope;
                break;
            }
            double a = Math.Abs((double)w[i]);
            (rest, slope) = (rest - a * room[i], slope - a);
        }
        return Moves(w, sign, i => Math.Min(level, room[i]), 0);
    }

    /// <summary>δ of least ‖δ‖₂.</summary>
    public static double[] L2(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b)
    {
        var (rest, sign) = Side(z, w, b);
        double[] room = Room(z, w, sign), keys = new double[room.Length];
        for (int i = 0; i < keys.Length; i++) keys[i] = room[i] / Math.Abs((double)w[i]);
        int[] order = Order(keys, w, Tiny);
        double squares = 0;
        foreach (int i in order) squares += (double)w[i] * w[i];
        double multiplier = double.PositiveInfinity;
        foreach (int i in order)
        {
            double a = Math.Abs((double)w[i]);
            if (squares * room[i] / a >= rest)
            {
                multiplier = rest / squares;
                break;
            }
            (rest, squares) = (rest - a * room[i], squares - a * a);
        }
        var slopes = w.ToArray();
        return Moves(w, sign, i => Math.Min(multiplier * Math.Abs((double)slopes[i]), room[i]), Tiny);
    }

    // How far w·z is from b, and on which side.
    private static (double Amount, int Sign) Side(ReadOnlySpan<float> z, ReadOnlySpan<float> w, double b)
    {
        double r = -b;
        for (int i = 0; i < z.Length; i++) r += (double)w[i] * z[i];
        return (Math.Abs(r), r < 0 ? -1 : 1);
    }

    private static double[] Room(ReadOnlySpan<float> z, ReadOnlySpan<float> w, int sign)
    {
        var room = new double[z.Length];
        for (int i = 0; i < room.Length; i++) room[i] = sign * w[i] > 0 ? z[i] : 1 - (double)z[i];
        return room;
    }

    /// <summary>The coordinates that can move, by ascending key.</summary>
    private static int[] Order(double[] keys, ReadOnlySpan<float> w, double tiny)
    {
        var order = new int[keys.Length];
        int count = 0;
        for (int i = 0; i < order.Length; i++)
            if (Math.Abs(w[i]) > tiny) (keys[count], order[count++]) = (keys[i], i);
        Array.Sort(keys, order, 0, count);
        return order[..count];
    }

    private static double[] Moves(ReadOnlySpan<float> w, int sign, Func<int, double> length, double tiny)
    {
        var moves = new double[w.Length];
        for (int i = 0; i < moves.Length; i++)
            if (Math.Abs(w[i]) > tiny) moves[i] = -Math.Sign(w[i]) * sign * length(i);
        return moves;
    }
}
