namespace Rpat.Tests.Robust;

/// <summary>
/// Fixture L of attacks.md 4.5, sixteen images of 3×8×8 and z = Wx + b from a linear congruential generator, and what an attack on
/// it can reach (attacks.md 4.1).
/// </summary>
internal sealed class LinearFixture
{
    private const int Count = 16, Pixels = 3 * 8 * 8;

    private readonly int _classes;
    private readonly double[] _x;
    private readonly double[] _weight;
    private readonly double[] _bias;
    private uint _state = 1;

    /// <summary>With <paramref name="middle"/>, the images are kept between 0.4 and 0.6.</summary>
    public LinearFixture(int classes, bool middle = false)
    {
        _classes = classes;
        _x = Draw(Count * Pixels, u => middle ? 0.4 + 0.2 * u : u);
        _weight = Draw(classes * Pixels, u => (u - 0.5) * 0.5);
        _bias = Draw(classes, u => (u - 0.5) * 0.1);
        Labels = [.. Enumerable.Range(0, Count).Select(i => Enumerable.Range(0, classes).MaxBy(k => Logit(_x, i, k)))];
    }

    /// <summary>The class that the net gives each clean image.</summary>
    public int[] Labels { get; }

    /// <summary>z_y − z_k of an image, in double.</summary>
    public double Margin(int image, int k) => Margin(_x, image, k);

    /// <summary>‖w_y − w_k‖₂.</summary>
    public double SlopeLength(int image, int k) => Math.Sqrt(Enumerable.Range(0, Pixels).Sum(i => Slope(image, k, i) * Slope(image, k, i)));

    /// <summary>The smallest margin that the ε-cube and the box leave: each pixel moves by min(ε, its room).</summary>
    public double WorstMargin(int image, int k, double eps) => Margin(image, k) - Enumerable.Range(0, Pixels).Sum(i =>
    {
        double v = Slope(image, k, i), x = _x[image * Pixels + i];
        return Math.Abs(v) * Math.Min(eps, v > 0 ? x : 1 - x);
    });

    /// <summary>Each image's smallest margin after an attack, in double.</summary>
    public double[] MarginsAfter(Device device, PgdOptions options)
    {
        LinearNet net = new(device, _weight, _bias);
        Tensor x = Tensor.From(device, new Shape(Count, Pixels), Array.ConvertAll(_x, v => (float)v));
        float[] found = new Pgd(net, options).Perturb(x, Engine.Tensors.Labels.From(device, Labels), TestNets.Key, TestNets.Indices(Count))
            .ToArray();
        double[] moved = Array.ConvertAll(found, v => (double)v);
        return [.. Labels.Select((y, i) => Enumerable.Range(0, _classes).Where(k => k != y).Min(k => Margin(moved, i, k)))];
    }

    private double Margin(double[] x, int image, int k) => Logit(x, image, Labels[image]) - Logit(x, image, k);

    private double Slope(int image, int k, int pixel) => _weight[Labels[image] * Pixels + pixel] - _weight[k * Pixels + pixel];

    private double Logit(double[] x, int image, int k) =>
        _bias[k] + Enumerable.Range(0, Pixels).Sum(i => _weight[k * Pixels + i] * x[image * Pixels + i]);

    private double[] Draw(int count, Func<double, double> map)
    {
        var values = new double[count];
        for (int i = 0; i < count; i++)
        {
            _state = unchecked(_state * 1664525 + 1013904223);
            values[i] = map((_state >> 8) / (double)(1 << 24));
        }
        return values;
    }
}
