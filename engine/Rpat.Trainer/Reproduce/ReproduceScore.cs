namespace Rpat.Trainer.Reproduce;

/// <summary>A value with the ends of its 95 % interval, as shares of 1.</summary>
internal readonly record struct Estimate(double Value, double Low, double High);

/// <summary>The counts of one run's evaluation, and the paper's four columns computed from them.</summary>
/// <param name="Robust">Right under attack; included in the clean count.</param>
/// <param name="Label">What the attack was, in the evaluation's words.</param>
internal sealed record ReproduceScore(int Images, int CleanCorrect, int Robust, string Label, string Threat)
{
    private const int MostBytes = 16 << 20;

    /// <summary>The four columns: Clean, AA, Mean, NRR.</summary>
    public IReadOnlyList<Estimate> Columns => [Wilson(CleanCorrect), Wilson(Robust), Mean, Nrr];

    private double Clean => (double)CleanCorrect / Images;

    private double Aa => (double)Robust / Images;

    private Estimate Mean => Of(RobustnessScores.Mean);

    private Estimate Nrr => Of(RobustnessScores.Nrr);

    /// <summary>Reads the file that <c>rpat eval --json</c> wrote.</summary>
    /// <exception cref="DataException">It is not such a file.</exception>
    public static ReproduceScore Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(RegularFile.ReadBytes(path, MostBytes));
            var root = json.RootElement;
            var column = root.GetProperty("results")[0];
            return new ReproduceScore(
                root.GetProperty("images").GetInt32(), root.GetProperty("clean").GetProperty("correct").GetInt32(),
                column.GetProperty("accuracy").GetProperty("correct").GetInt32(), column.GetProperty("label").GetString()!,
                $"{root.GetProperty("norm").GetString()} eps {column.GetProperty("eps").GetString()}");
        }
        catch (Exception error) when (error is IOException or JsonException or KeyNotFoundException or InvalidOperationException
        or IndexOutOfRangeException)
        {
            throw new DataException($"'{path}' is not an evaluation result: delete it, and the evaluation is run again.", error);
        }
    }

    private Estimate Wilson(int count)
    {
        var interval = WilsonInterval.Of(count, Images);
        return new Estimate((double)count / Images, interval.Low, interval.High);
    }

    private Estimate Of(Func<double, double, double> score)
    {
        var (low, high) = RobustnessScores.Interval(score, CleanCorrect, Robust, Images);
        return new Estimate(score(Clean, Aa), low, high);
    }
}
