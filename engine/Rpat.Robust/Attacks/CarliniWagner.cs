namespace Rpat.Robust.Attacks;

/// <summary>
/// Carlini and Wagner's L2 attack (S&amp;P'17; attacks.md 1.6): Adam on w with u = (tanh w + 1)/2 minimises ‖u − x_r‖² + c·F(u), with a
/// binary search for the smallest c that succeeds. It has no radius: the result counts when its distance is at most ε.
/// </summary>
public sealed record CarliniWagner : Attack
{
    private const double Largest = 1e10;

    /// <summary>The attack; its norm is L2.</summary>
    public CarliniWagner() => Norm = Norm.L2;

    /// <inheritdoc/>
    public override string Name => "cw-l2";

    /// <inheritdoc/>
    public override bool FindsNearest => true;

    /// <inheritdoc/>
    public override string Settings =>
        Text($"searches={Searches} iterations={Iterations} rate={Rate:R} c={FirstWeight:R} confidence={Confidence:R} abort={AbortEarly}")
        + (Shrink == UsualShrink ? "" : Text($" shrink={Shrink:R}"));

    /// <summary>Steps of the binary search for c.</summary>
    public int Searches { get; init => field = InputCheck.FromOne(value); } = 9;

    /// <summary>Maximum iterations of Adam for each c.</summary>
    public int Iterations { get; init => field = InputCheck.FromOne(value); } = 10_000;

    /// <summary>Adam's step size.</summary>
    public double Rate { get; init => field = InputCheck.Between(0, InputCheck.Large, value, open: true); } = 0.01;

    /// <summary>The first c.</summary>
    public double FirstWeight { get; init => field = InputCheck.Between(0, InputCheck.Large, value, open: true); } = 1e-3;

    /// <summary>Margin κ by which the wrong class must lead.</summary>
    public double Confidence { get; init => field = InputCheck.Between(0, InputCheck.Large, value); }

    /// <summary>Stop when a tenth of the iterations has not lowered the objective by at least 0.01 %.</summary>
    public bool AbortEarly { get; init; } = true;

    /// <summary>Keeps w finite at pixels of 0 and 1.</summary>
    public double Shrink { get; init => field = InputCheck.Between(0, 1, value, open: true); } = UsualShrink;

    private const double UsualShrink = 0.999999;

    internal override bool TakesStart => false;

    internal override int Id => 31;

    /// <inheritdoc/>
    public override long Cost(int classes) => 3L * Searches * Iterations / 2;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        var search = new Search(subject.Image, FirstWeight);
        for (int b = 0; b < Searches; b++)
        {
            bool last = b == Searches - 1 && Searches >= 10;
            if (last) search.TryLargest();
            search.Settle(await Minimise(subject, search));
        }
        bool fooled = search.Norm < double.PositiveInfinity;
        return new AttackResult(search.Point, fooled && search.Norm <= Eps, -search.Norm, search.FoundAt);
    }

    /// <summary>One run of Adam; returns whether it reached a misclassified point.</summary>
    private async Task<bool> Minimise(Subject s, Search search)
    {
        var descent = new Descent(s.Image, Shrink, Rate);
        int every = (Iterations + 9) / 10;
        bool found = false;
        double lastCheck = double.PositiveInfinity;
        for (int i = 0; i < Iterations; i++)
        {
            float[] u = descent.Point();
            var at = await s.Gradient(u, AttackLoss.Margin);
            double push = Math.Max(Confidence - at.Loss, 0), objective = descent.SquaredDistance() + search.Weight * push;
            bool success = Wins(s, at);
            found |= success;
            if (success) search.Record(u, Rpat.Robust.Attacks.Norm.L2.Distance(u, s.Image), i);
            descent.Step(at.Gradient, push > 0 ? search.Weight : 0);
            if (i % every != 0) continue;
            if (AbortEarly && objective > 0.9999 * lastCheck) break;
            lastCheck = objective;
        }
        return found;
    }

    // The loss is the margin of the wrong class, which with a confidence must exceed it.
    private bool Wins(Subject s, Query at) => Confidence > 0 ? at.Loss > Confidence : s.Succeeds(at.Logits);

    /// <summary>The bracket of c and the nearest point so far.</summary>
    private sealed class Search(float[] image, double first)
    {
        private double _low;
        private double _high = double.PositiveInfinity;

        public double Weight { get; private set; } = first;
        public float[] Point { get; private set; } = image;
        public double Norm { get; private set; } = double.PositiveInfinity;
        public int FoundAt { get; private set; } = -1;

        public void TryLargest() => Weight = Math.Min(_high, Largest);

        public void Record(float[] u, double norm, int iteration)
        {
            if (norm < Norm) (Point, Norm, FoundAt) = (u, norm, iteration);
        }

        public void Settle(bool found)
        {
            if (found) _high = Weight;
            else _low = Weight;
            Weight = double.IsInfinity(_high) ? 10 * Weight : (_low + _high) / 2;
        }
    }

    /// <summary>Adam on w.</summary>
    private sealed class Descent
    {
        private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;

        private readonly double[] _w, _reference, _mean, _square, _tanh;
        private readonly double _rate;
        private int _steps;

        public Descent(float[] x, double shrink, double rate)
        {
            _rate = rate;
            _w = Array.ConvertAll(x, v => Math.Atanh((2.0 * v - 1) * shrink));
            _reference = Array.ConvertAll(_w, w => (Math.Tanh(w) + 1) / 2);
            (_mean, _square, _tanh) = (new double[x.Length], new double[x.Length], new double[x.Length]);
        }

        /// <summary>u of the current w, clipped again after rounding.</summary>
        public float[] Point()
        {
            var u = new float[_w.Length];
            for (int i = 0; i < u.Length; i++)
            {
                _tanh[i] = Math.Tanh(_w[i]);
                u[i] = Math.Clamp((float)((_tanh[i] + 1) / 2), 0f, 1f);
            }
            return u;
        }

        public double SquaredDistance()
        {
            double sum = 0;
            for (int i = 0; i < _tanh.Length; i++) sum += Math.Pow((_tanh[i] + 1) / 2 - _reference[i], 2);
            return sum;
        }

        /// <summary>One step; the gradient is of the wrong class's margin, so the objective falls against its direction.</summary>
        public void Step(float[] gradient, double weight)
        {
            _steps++;
            double correct1 = 1 - Math.Pow(Beta1, _steps), correct2 = 1 - Math.Pow(Beta2, _steps);
            for (int i = 0; i < _w.Length; i++)
            {
                double du = 2 * ((_tanh[i] + 1) / 2 - _reference[i]) - weight * gradient[i];
                double dw = du * (1 - _tanh[i] * _tanh[i]) / 2;
                _mean[i] = Beta1 * _mean[i] + (1 - Beta1) * dw;
                _square[i] = Beta2 * _square[i] + (1 - Beta2) * dw * dw;
                double move = _rate * (_mean[i] / correct1) / (Math.Sqrt(_square[i] / correct2) + Epsilon);
                if (double.IsFinite(move)) _w[i] -= move; // w is infinite at 0 and 1 without shrinking: such pixels stay
            }
        }
    }
}
