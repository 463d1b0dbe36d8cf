using Rpat.Trainer.Report;

namespace Rpat.Trainer.Studies;

/// <summary>
/// How much more often one variant's networks are right than another's, over the seeds that both have and on the same images. The error
/// is that of a bootstrap over both: seeds and images are drawn again, each with replacement (Owen, "The pigeonhole bootstrap", 2007); one
/// seed less than there are, so that the error is not too small with few (McCarthy and Snowden, "The bootstrap and finite population
/// sampling", 1985). Few seeds also leave it uncertain, so that Student's t, a degree of freedom less than seeds, takes the normal's place.
/// </summary>
/// <param name="Difference">Mean difference of the shares of right images.</param>
/// <param name="Error">Its standard error; NaN with a single seed.</param>
/// <param name="Tests">The networks of each seed, compared image by image.</param>
internal sealed record StudyEffect(double Difference, double Error, IReadOnlyList<(long Seed, PairedTest Test)> Tests)
{
    private const double Level = 0.975, Power = 0.8;
    private const int Draws = 1000;

    /// <summary>Compares two variants' rows by an outcome.</summary>
    /// <returns>Null if no seed has both.</returns>
    /// <exception cref="DataException">They are not of the same images.</exception>
    public static StudyEffect? Of(IEnumerable<StudyRecord> first, IEnumerable<StudyRecord> second, string outcome)
    {
        var pairs = first.Join(second, one => one["seed"], two => two["seed"], (one, two) => (Seed: one["seed"], One: one.Outcomes[outcome],
            Two: two.Outcomes[outcome])).ToList();
        if (pairs.Count == 0) return null;
        if (pairs.Any(pair => pair.One.Length != pairs[0].One.Length || pair.Two.Length != pairs[0].One.Length))
            throw new DataException($"the rows have '{outcome}' of different numbers of images: they are not of one study.");
        int[][] differences = [.. pairs.Select(pair => pair.One.Zip(pair.Two, (a, b) => (a ? 1 : 0) - (b ? 1 : 0)).ToArray())];
        return new(differences.Average(of => of.Average()), Bootstrap(differences, Draws),
            [.. pairs.Select(pair => (long.Parse(pair.Seed, CultureInfo.InvariantCulture), PairedTest.Of(pair.One, pair.Two)))]);
    }

    /// <summary>The 95 % interval of the difference.</summary>
    public (double Low, double High) Interval => (Difference - Reach(Level) * Error, Difference + Reach(Level) * Error);

    /// <summary>The smallest true difference that the interval would have excluded from 0 with a probability of 80 %.</summary>
    public double Detectable => (Reach(Level) + Reach(Power)) * Error;

    /// <summary>The standard error of the mean of all differences, by seed and image.</summary>
    public static double Bootstrap(int[][] differences, int draws)
    {
        int images = differences[0].Length, seeds = differences.Length - 1;
        if (seeds < 1) return double.NaN;
        var random = new Draw();
        var (means, sums) = (new double[draws], new int[images]);
        for (int draw = 0; draw < draws; draw++)
        {
            Array.Clear(sums);
            for (int s = 0; s < seeds; s++)
            {
                int[] chosen = differences[random.Below(differences.Length)];
                for (int i = 0; i < images; i++) sums[i] += chosen[i];
            }
            long sum = 0;
            for (int i = 0; i < images; i++) sum += sums[random.Below(images)];
            means[draw] = (double)sum / images / seeds;
        }
        return Spread.Of(means).Deviation;
    }

    /// <summary>Half the 95 % interval of the mean of independent values; NaN with a single one.</summary>
    public static double Reach(Spread values) =>
        StudentT.Quantile(Level, values.Count - 1) * values.Deviation / Math.Sqrt(values.Count);

    private double Reach(double share) => StudentT.Quantile(share, Tests.Count - 1);

    // SplitMix64 (Steele, Lea, Flood, 2014): a bootstrap draws hundreds of millions of numbers.
    private struct Draw()
    {
        private ulong _state = 1;

        public int Below(int n)
        {
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
            z = (z ^ z >> 27) * 0x94D049BB133111EB;
            return (int)(((z ^ z >> 31) >> 32) * (ulong)n >> 32);
        }
    }
}

/// <summary>Student's t distribution with a whole number of degrees of freedom.</summary>
internal static class StudentT
{
    /// <summary>The value below which a share of the distribution is; NaN without a degree of freedom.</summary>
    /// <param name="share">Above 1/2.</param>
    public static double Quantile(double share, int freedom)
    {
        if (freedom < 1) return double.NaN;
        double low = 0, high = 1000;
        for (double middle = high / 2; high - low > 1e-12 * high; middle = (low + high) / 2)
            if (Below(middle, freedom) < share) low = middle;
            else high = middle;
        return high;
    }

    /// <summary>The share of the distribution below a value of at least 0 (Abramowitz and Stegun 26.7.3 and 26.7.4).</summary>
    public static double Below(double t, int freedom)
    {
        double angle = Math.Atan(t / Math.Sqrt(freedom)), square = Math.Cos(angle) * Math.Cos(angle);
        bool isOdd = freedom % 2 == 1;
        double term = isOdd ? Math.Sin(angle) * Math.Cos(angle) : Math.Sin(angle), sum = 0;
        for (int k = isOdd ? 2 : 1; k < freedom; k += 2)
        {
            sum += term;
            term *= square * k / (k + 1);
        }
        double within = isOdd ? 2 / Math.PI * (angle + sum) : sum;
        return (1 + within) / 2;
    }
}
