namespace Rpat.Robust.Objectives;

/// <summary>
/// Lets only the prominent gradients of each tensor reach the optimizer (CURE, ICLR'24; methods.md 4.12): gradients whose prominence is
/// below a percentile of their tensor become 0. Momentum and weight decay still act on masked weights.
/// </summary>
/// <param name="MaskedFraction">The percentile as a fraction, 0.3 for 30 %.</param>
/// <param name="CleanShare">α: prominence is α·|∂CE(x)/∂w| + (1 − α)·|∂CE(x′)/∂w| (the paper).</param>
/// <param name="OfTotal">Use |∂L/∂w| of the whole loss instead, and do not mask linear layers (the code).</param>
/// <exception cref="ArgumentException">A share is not from 0 to 1.</exception>
public sealed record GradientMask(float MaskedFraction, float CleanShare, bool OfTotal = false)
{
    /// <summary>The percentile as a fraction, 0.3 for 30 %.</summary>
    public float MaskedFraction { get; init => field = (float)InputCheck.Between(0, 1, value); } =
        (float)InputCheck.Between(0, 1, MaskedFraction, nameof(MaskedFraction));

    /// <summary>α.</summary>
    public float CleanShare { get; init => field = (float)InputCheck.Between(0, 1, value); } =
        (float)InputCheck.Between(0, 1, CleanShare, nameof(CleanShare));

    /// <summary>
    /// The value below which a given share of the values lies, interpolated linearly between neighbours; reorders the values.
    /// </summary>
    public static float Percentile(Span<float> values, double share)
    {
        double place = share * (values.Length - 1);
        int below = (int)Math.Floor(place);
        float low = Select(values, below);
        if (place == below) return low;
        float high = float.PositiveInfinity; // the smallest of the values after it
        foreach (float v in values[(below + 1)..]) high = Math.Min(high, v);
        return (float)(low + (place - below) * ((double)high - low));
    }

    /// <summary>Hoare's selection: afterwards no value before the position is larger, and none after it smaller.</summary>
    private static float Select(Span<float> v, int place)
    {
        for (int low = 0, high = v.Length - 1; low < high;)
        {
            float pivot = v[low + (high - low) / 2];
            int i = low, j = high;
            while (i <= j)
            {
                while (v[i] < pivot) i++;
                while (v[j] > pivot) j--;
                if (i <= j) (v[i], v[j], i, j) = (v[j], v[i], i + 1, j - 1);
            }
            if (place <= j) high = j;
            else if (place >= i) low = i;
            else break;
        }
        return v[place];
    }
}

/// <summary>The gradient mask of one network.</summary>
internal sealed class GradientMasker(Classifier net, GradientMask rule)
{
    private readonly float[] _prominence = new float[net.Parameters.Count];
    private readonly float[] _gradient = new float[net.Parameters.Count];
    private readonly float[] _sorted = new float[net.Parameters.Count];
    private readonly HashSet<string> _linear = [.. net.Parameters.Parameters.Where(p => p.Dimensions.Count == 2).Select(LayerOf)];

    /// <summary>Adds one of the two gradients that make up the prominence; the clean one comes first.</summary>
    public void Look(bool clean)
    {
        Download();
        float share = clean ? rule.CleanShare : 1 - rule.CleanShare;
        for (int i = 0; i < _gradient.Length; i++)
            _prominence[i] = share * Math.Abs(_gradient[i]) + (clean ? 0 : _prominence[i]);
    }

    /// <summary>Masks the gradient for the optimizer.</summary>
    public void Apply()
    {
        Download();
        if (rule.OfTotal)
            for (int i = 0; i < _gradient.Length; i++) _prominence[i] = Math.Abs(_gradient[i]);
        int offset = 0;
        foreach (var p in net.Parameters.Parameters)
        {
            if (!rule.OfTotal || !_linear.Contains(LayerOf(p))) Mask(offset, (int)p.Shape.Count);
            offset += (int)p.Shape.Count;
        }
        net.Device.Upload(_gradient, net.Parameters.Gradients);
    }

    private void Mask(int offset, int count)
    {
        var sorted = _sorted.AsSpan(offset, count);
        _prominence.AsSpan(offset, count).CopyTo(sorted);
        float threshold = GradientMask.Percentile(sorted, rule.MaskedFraction);
        for (int i = offset; i < offset + count; i++)
            if (_prominence[i] < threshold) _gradient[i] = 0;
    }

    private static string LayerOf(Parameter p) => p.Name[..Math.Max(0, p.Name.LastIndexOf('.'))];

    private void Download() => net.Device.Download(net.Parameters.Gradients, _gradient);
}
