namespace Rpat.Trainer.Report;

/// <summary>Two networks on the same images: what each alone has right.</summary>
/// <param name="OnlyFirst">Images that only the first classifies correctly.</param>
/// <param name="OnlySecond">Images that only the second does.</param>
internal sealed record PairedTest(int Images, int OnlyFirst, int OnlySecond)
{
    private const double Z = 1.959963984540054; // 97.5 % of a normal distribution are below

    /// <summary>Compares image by image.</summary>
    public static PairedTest Of(IReadOnlyList<bool> first, IReadOnlyList<bool> second) => new(
        first.Count, first.Zip(second).Count(pair => pair is (true, false)), first.Zip(second).Count(pair => pair is (false, true)));

    /// <summary>Accuracy of the first less that of the second, as a share of 1.</summary>
    public double Difference => (double)(OnlyFirst - OnlySecond) / Images;

    /// <summary>Its 95 % interval (Bonett and Price, 2012: the paired difference with one image
    /// added to each kind of disagreement).</summary>
    public (double Low, double High) Interval
    {
        get
        {
            double n = Images + 2, first = (OnlyFirst + 1) / n, second = (OnlySecond + 1) / n, middle = first - second;
            double half = Z * Math.Sqrt((first + second - middle * middle) / n);
            return (Math.Max(-1, middle - half), Math.Min(1, middle + half));
        }
    }

    /// <summary>
    /// The exact two-sided p of McNemar's test: how probable so uneven a split of the images on
    /// which they disagree is, if each is as likely
    /// to be right where the other is wrong.
    /// </summary>
    public double P
    {
        get
        {
            int n = OnlyFirst + OnlySecond, least = Math.Min(OnlyFirst, OnlySecond);
            double log = -n * Math.Log(2), sum = 0;
            for (int i = 0; i <= least; i++)
            {
                sum += Math.Exp(log);
                log += Math.Log(n - i) - Math.Log(i + 1);
            }
            return Math.Min(1, 2 * sum);
        }
    }

    /// <summary>p as tables print it.</summary>
    public string PText => P < 1e-4 ? "< 0.0001" : P.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>A difference of shares in percentage points, with its sign.</summary>
    public static string Points(double share) => (100 * share).ToString("+0.00;−0.00;0.00", CultureInfo.InvariantCulture);

    /// <summary>An interval of such differences.</summary>
    public static string Points((double Low, double High) ends) => $"{Points(ends.Low)} to {Points(ends.High)}";
}

/// <summary>What a run's evaluations say image by image, from their ledgers.</summary>
internal static class ImageOutcomes
{
    /// <summary>The column of images without an attack.</summary>
    public const string Clean = "Clean";

    private static readonly string[] _files = [EvaluationReport.FileName, EvaluationManifest.FileName, "ledger.jsonl"];

    /// <summary>A column's attack as it is shown, and its threat model; nothing for images without an attack.</summary>
    public static (string Attack, string Threat) Parts(string column)
    {
        int end = column.LastIndexOf(", ", StringComparison.Ordinal);
        return end < 0 ? (column, "") : (AttackTitle.Of(column[..end]), column[(end + 2)..]);
    }

    /// <summary>
    /// Which images are right, by what two evaluations must share to be comparable, and the column's name. Evaluations that are unfinished
    /// or damaged are left out.
    /// </summary>
    public static IReadOnlyDictionary<(string Same, string Column), bool[]> Of(string run)
    {
        var outcomes = new Dictionary<(string, string), bool[]>();
        foreach (string folder in RunContents.Folders(Path.Combine(run, EvalFolder.Part)))
        {
            if (_files.Any(file => RunContents.Find(folder, file) is null)) continue;
            try
            {
                var manifest = Verification.ManifestOf(folder);
                if (!RunData.IsOfEarlierWeights(folder, manifest) && RunData.OtherFile(folder, manifest).Length == 0)
                    Add(outcomes, manifest, Verification.LedgerOf(folder));
            }
            catch (Exception error) when (error is DataException or IOException or UnauthorizedAccessException)
            {
                // The report says of such an evaluation that it cannot be read.
            }
        }

        return outcomes;
    }

    /// <summary>The same of one finished evaluation.</summary>
    /// <exception cref="DataException">It is missing or damaged.</exception>
    public static IReadOnlyDictionary<(string Same, string Column), bool[]> OfEvaluation(string folder)
    {
        var outcomes = new Dictionary<(string, string), bool[]>();
        Add(outcomes, Verification.ManifestOf(folder), Verification.LedgerOf(folder));
        return outcomes;
    }

    private static void Add(Dictionary<(string, string), bool[]> outcomes, EvaluationManifest manifest, IReadOnlyList<LedgerEntry> ledger)
    {
        string same = FormattableString.Invariant($"{manifest.DataHash} {manifest.First} {manifest.Images}");
        bool[] clean = new bool[manifest.Images];
        var within = ledger.Where(entry => entry.Sample >= 0 && entry.Sample < clean.Length).ToList();
        foreach (var entry in within.Where(entry => entry is { Eps: < 0, Fooled: false })) clean[entry.Sample] = true;
        outcomes[(same, Clean)] = clean;
        foreach (var column in manifest.Columns.Where(column => column.Eps < manifest.Eps.Count))
        {
            bool[] robust = [.. clean];
            foreach (var entry in within.Where(entry => entry.Fooled && entry.Eps == column.Eps && entry.Suite == column.Suite))
                robust[entry.Sample] = false;
            outcomes[(same, $"{column.Label}, {manifest.Norm} eps {manifest.Eps[column.Eps]}")] = robust;
        }
    }
}
