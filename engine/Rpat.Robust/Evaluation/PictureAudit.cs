namespace Rpat.Robust.Evaluation;

/// <summary>Checks each line of a ledger against the network's answers on the clean image and on the adversarial one.</summary>
internal static class PictureAudit
{
    // Devices round differently: if a boundary is closer than this fraction of the logits, the ledger is trusted.
    private const double LogitShare = 1e-4, NormShare = 1e-9;

    /// <summary>What is wrong, one sentence each.</summary>
    /// <param name="whole">Whether the manifest lists the columns, so that images that no line refers to are checked too.</param>
    public static IEnumerable<string> Problems(VerifiedModel model, IReadOnlyList<LedgerEntry> ledger, bool whole)
    {
        var known = ledger.Where(e => e.Sample >= 0 && e.Sample < model.Manifest.Images && e.Eps < model.Manifest.Eps.Count).ToList();
        var counted = known.Where(e => e is { Eps: >= 0, Fooled: true }).ToLookup(e => (e.Eps, e.Suite));
        IEnumerable<(int, string)> columns = whole ? model.Manifest.Columns.Select(c => (c.Eps, c.Suite))
            : counted.Select(group => group.Key);
        return [.. Clean(model, known), .. columns.SelectMany(c => Column(model, c, [.. counted[c]], whole))];
    }

    private static IEnumerable<string> Clean(VerifiedModel model, List<LedgerEntry> ledger)
    {
        var clean = ledger.Where(e => e.Eps < 0).ToList();
        if (clean.Count != model.Manifest.Images)
            yield return $"the ledger has {clean.Count} clean predictions for {model.Manifest.Images} images";
        float[][] images = [.. clean.Select(e => Boxed(model.Files.ImageOf(model.Files.Pixels, e.Sample)))];
        float[][] logits = model.Logits(images, [.. clean.Select(e => Subject.CleanKey(model.Manifest.Seed, Index(model, e)))]);
        for (int i = 0; i < clean.Count; i++)
            if (Disagreement(clean[i], logits[i], model.Files.Classes[clean[i].Sample]) is { } flaw)
                yield return $"image {clean[i].Sample} without attack: {flaw}";
    }

    private static IEnumerable<string> Column(VerifiedModel model, (int Eps, string Suite) column, LedgerEntry[] counted, bool whole)
    {
        var files = model.Files;
        float[] pictures = files.Examples(column.Eps, column.Suite);
        string where = $"in {column.Suite} at eps {model.Manifest.Eps[column.Eps]}";
        var flaws = counted.Select(e => (e, Flaw(model, e, files.ImageOf(pictures, e.Sample))));
        foreach (var (entry, flaw) in flaws.Concat(Answers(model, column, counted, pictures)))
            if (flaw is not null) yield return $"image {entry.Sample} {where}: {flaw}";
        HashSet<int> broken = [.. counted.Select(e => e.Sample)];
        for (int i = 0; whole && i < files.Classes.Length; i++)
            if (!broken.Contains(i) && !files.ImageOf(pictures, i).SequenceEqual(files.ImageOf(files.Pixels, i)))
                yield return $"image {i} {where}: there is a picture that no line of the ledger counts";
    }

    /// <summary>What is wrong with an adversarial image itself, or null.</summary>
    private static string? Flaw(VerifiedModel model, LedgerEntry e, ReadOnlySpan<float> u)
    {
        var norm = Norm.Parse(model.Manifest.Norm);
        float[] x = Boxed(model.Files.ImageOf(model.Files.Pixels, e.Sample));
        double distance = norm.Distance(u, x);
        bool feasible = norm.Holds(x, u, model.Manifest.EpsValues[e.Eps]);
        if (Ledger.DigestOf(u) != e.Digest)
            return "the stored example is not the one in the ledger" + (feasible ? "" : ", and lies outside ball or box");
        if (!feasible) return FormattableString.Invariant($"lies outside ball or box (distance {distance:R})");
        return Math.Abs(distance - e.Norm) <= NormShare * distance ? null
            : FormattableString.Invariant($"lies {distance:R} from the image, the ledger says {e.Norm:R}");
    }

    /// <summary>Repeats the deciding passes over each adversarial image.</summary>
    private static IEnumerable<(LedgerEntry, string?)> Answers(
        VerifiedModel model, (int Eps, string Suite) column, LedgerEntry[] counted, float[] pictures)
    {
        int passes = model.Manifest.Columns.FirstOrDefault(c => (c.Eps, c.Suite) == column)?.Passes ?? 1;
        var asked = counted.SelectMany(e => Enumerable.Range(0, passes).Select(pass => (Entry: e, Pass: pass))).ToList();
        float[][] logits = model.Logits(
            [.. asked.Select(a => model.Files.ImageOf(pictures, a.Entry.Sample).ToArray())],
            [.. asked.Select(a => Decision(model, a.Entry, a.Pass))]);
        return counted.Select((e, i) => (e, Majority(e, logits[(i * passes)..((i + 1) * passes)], model.Files.Classes[e.Sample])));
    }

    // The ledger has the class and margin of the last pass that misclassified.
    private static string? Majority(LedgerEntry e, float[][] passes, int label)
    {
        float[][] wrong = [.. passes.Where(z => Predictions.ArgMax(z) != label)];
        if (passes.Length > 1 && 2 * wrong.Length <= passes.Length) return $"is wrong in {wrong.Length} of {passes.Length} passes only";
        return Disagreement(e, wrong.LastOrDefault() ?? passes[^1], label);
    }

    /// <summary>How a line and logits differ, or null.</summary>
    private static string? Disagreement(LedgerEntry e, float[] z, int label)
    {
        if (z.Any(v => !float.IsFinite(v))) return "the network answers with NaN or infinity";
        double slack = LogitShare * Math.Max(1, z.Max(Math.Abs));
        int predicted = Predictions.ArgMax(z);
        if (e.Fooled == (e.Prediction == label) || e.Prediction < 0 || e.Prediction >= z.Length)
            return $"the ledger says class {e.Prediction} of an image of class {label}, and {(e.Fooled ? "wrong" : "right")}";
        if (z[e.Prediction] < z.Max() - slack)
            return predicted == label ? "is classified correctly" : $"is predicted {predicted}, the ledger says {e.Prediction}";
        double margin = (double)z[label] - z[RowMath.LargestExcept(z, label)];
        return Math.Abs(margin - e.Margin) <= slack ? null
            : FormattableString.Invariant($"its margin is {margin:R}, the ledger says {e.Margin:R}");
    }

    private static RandomKey Decision(VerifiedModel model, LedgerEntry e, int pass) =>
        Subject.DecisionKey(model.Manifest.Seed, Index(model, e), e.Stage, e.Rank, e.Restart, pass);

    private static long Index(VerifiedModel model, LedgerEntry e) => model.Manifest.First + (long)e.Sample;

    private static float[] Boxed(ReadOnlySpan<float> image)
    {
        float[] x = image.ToArray();
        NormGeometry.Box(x);
        return x;
    }
}
