namespace Rpat.Robust;

/// <summary>
/// The difference of logits ratio, unchanged by scaling and shifting the logits (attacks.md 2.3). Sorted z₍₁₎ ≥ z₍₂₎ ≥ …:
/// −(z_y − max_{k≠y} z_k)/(z₍₁₎ − z₍₃₎ + 1e-12), and with a target −(z_y − z_t)/(z₍₁₎ − (z₍₃₎ + z₍₄₎)/2 + 1e-12). With three classes
/// the targeted form takes the untargeted denominator; with two, both are the plain difference.
/// </summary>
internal sealed record DlrLoss : AttackLoss
{
    private const double Guard = 1e-12;

    public override string Name => "dlr";

    public override double Evaluate(in LossInput input, Span<float> gradient)
    {
        var z = input.Logits;
        bool targeted = input.Target >= 0;
        int other = targeted ? input.Target : Runner(z, input.Label);
        Span<int> top = stackalloc int[4];
        Largest(z, top);
        var (third, fourth) = (top[2], targeted && z.Length > 3 ? top[3] : top[2]);
        bool plain = z.Length < 3;
        double gap = (double)z[input.Label] - z[other];
        double scale = plain ? 1 : z[top[0]] - 0.5 * ((double)z[third] + z[fourth]) + Guard;
        Span<double> d = z.Length <= 1024 ? stackalloc double[z.Length] : new double[z.Length];
        d.Clear();
        d[input.Label] -= 1 / scale;
        d[other] += 1 / scale;
        if (!plain) Denominator(d, gap / (scale * scale), top[0], third, fourth);
        for (int k = 0; k < d.Length; k++) gradient[k] = (float)d[k];
        return -gap / scale;
    }

    // Entries may coincide: their shares add.
    private static void Denominator(Span<double> d, double share, int first, int third, int fourth)
    {
        d[first] += share;
        d[third] -= 0.5 * share;
        d[fourth] -= 0.5 * share;
    }

    /// <summary>Indices of the four largest entries, in order; equal ones by index.</summary>
    private static void Largest(ReadOnlySpan<float> z, Span<int> top)
    {
        int count = 0;
        for (int k = 0; k < z.Length; k++)
        {
            int place = count;
            while (place > 0 && z[k] > z[top[place - 1]]) place--;
            if (place >= top.Length) continue;
            count = Math.Min(count + 1, top.Length);
            for (int i = count - 1; i > place; i--) top[i] = top[i - 1];
            top[place] = k;
        }
    }
}
