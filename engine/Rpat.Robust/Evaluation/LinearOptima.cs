namespace Rpat.Robust.Evaluation;

/// <summary>
/// The exact optimum against z = Wx + b on images in [0,1] (attacks.md 4.1). A perturbation uses each value in proportion to its
/// effect until the room in its direction is used up: δ_i = min(s, c_i) for L∞, min(s·|v_i|, c_i) for L2, with
/// one s; for L1 the values of the s largest |v_i| use
/// all of theirs. The effect and the
/// length increase with s, so bisection finds either; FAB's projections are not used.
/// </summary>
internal sealed class LinearOptima
{
    private readonly double[][] _weight;
    private readonly double[] _bias;

    private LinearOptima(double[][] weight, double[] bias) => (_weight, _bias) = (weight, bias);

    /// <summary>Takes a linear layer.</summary>
    /// <param name="weight"><c>[K, D]</c>, row-major.</param>
    /// <param name="bias"><c>[K]</c>.</param>
    public static LinearOptima Of(float[] weight, float[] bias) =>
        new([.. weight.Chunk(weight.Length / bias.Length).Select(row => Array.ConvertAll(row, v => (double)v))],
        Array.ConvertAll(bias, v => (double)v));

    /// <summary>Logits <c>[K]</c> of an image <c>[D]</c>.</summary>
    public float[] Logits(float[] x) => [.. Enumerable.Range(0, _bias.Length).Select(k => (float)Logit(x, k))];

    /// <summary>z_y − max_{k≠y} z_k at an image, in double.</summary>
    public double Margin(float[] x, int label) => Others(label).Min(k => Logit(x, label) - Logit(x, k));

    /// <summary>The smallest margin in the intersection of ball and box; the image is robust exactly if it is positive.</summary>
    public double WorstMargin(float[] x, int label, Norm norm, double eps) => Others(label).Min(k =>
    {
        var ray = new Ray(Slopes(label, k), x, norm);
        return Logit(x, label) - Logit(x, k) - ray.Effect(ray.Find(ray.Length, eps));
    });

    /// <summary>The length of the smallest perturbation in the box that makes another class equally large; infinite if none does.</summary>
    public double MinimumNorm(float[] x, int label, Norm norm) => Others(label).Min(k =>
    {
        var ray = new Ray(Slopes(label, k), x, norm);
        double margin = Logit(x, label) - Logit(x, k), s = ray.Find(ray.Effect, margin);
        return ray.Effect(s) < margin - 1e-9 ? double.PositiveInfinity : ray.Length(s);
    });

    private IEnumerable<int> Others(int label) => Enumerable.Range(0, _bias.Length).Where(k => k != label);

    private double[] Slopes(int label, int k) => [.. _weight[label].Zip(_weight[k], (a, b) => a - b)];

    private double Logit(float[] x, int k)
    {
        double sum = _bias[k];
        for (int i = 0; i < x.Length; i++) sum += _weight[k][i] * x[i];
        return sum;
    }

    /// <summary>The best perturbations against one competitor, by s.</summary>
    private sealed class Ray(double[] slopes, float[] x, Norm norm)
    {
        private const double Saturated = 1e12;

        /// <summary>Σ|v_i|·δ_i.</summary>
        public double Effect(double s) => Sum(s, (v, move) => v * move);

        private readonly int[] _rank = Ranks(slopes);

        /// <summary>‖δ‖.</summary>
        public double Length(double s) => norm.Geometry.Length([.. Moves(s)]);

        /// <summary>The smallest s at which an increasing function reaches a value, or the s of all values at their bounds.</summary>
        public double Find(Func<double, double> grows, double value)
        {
            double low = 0, high = 1;
            while (grows(high) < value && high < Saturated) high *= 4;
            for (int i = 0; i < 100; i++)
            {
                double middle = (low + high) / 2;
                if (grows(middle) < value) low = middle;
                else high = middle;
            }
            return high;
        }

        private double Sum(double s, Func<double, double, double> term) =>
            Moves(s).Select((move, i) => term(Math.Abs(slopes[i]), move)).Sum();

        private IEnumerable<double> Moves(double s) => slopes.Select((v, i) => v == 0 ? 0 : Used(s, i, v > 0 ? x[i] : 1 - (double)x[i]));

        private double Used(double s, int i, double room) => norm == Norm.L1 ? room * Math.Clamp(s - _rank[i], 0, 1)
            : Math.Min(norm == Norm.Linf ? s : s * Math.Abs(slopes[i]), room);

        private static int[] Ranks(double[] slopes)
        {
            int[] order = [.. Enumerable.Range(0, slopes.Length).OrderByDescending(i => Math.Abs(slopes[i]))],
                ranks = new int[order.Length];
            for (int k = 0; k < order.Length; k++) ranks[order[k]] = k;
            return ranks;
        }
    }
}
