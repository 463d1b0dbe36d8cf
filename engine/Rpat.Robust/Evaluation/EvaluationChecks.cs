namespace Rpat.Robust.Evaluation;

/// <summary>The checks of attacks.md 2.7: six that AutoAttack makes, and further ones. All are warnings.</summary>
internal static class EvaluationChecks
{
    internal const string Randomized = "randomized", ClassCounted = "class-count";

    private const double SameLogits = 1e-4, LittleZero = 1e-5, SquareSlack = 0.002;
    private const double MuchNoise = 0.1, ManyStuck = 0.5;
    private const int FewImages = 1000, FirstImages = 128; // independent of the plan's batch, so that no warning depends on it

    /// <summary>Checks the network on the first images, before any attack.</summary>
    public static IEnumerable<EvaluationWarning> Before(Classifier net, EvaluationPlan plan, float[] images, int[] labels, Shape image)
    {
        int count = Math.Min(labels.Length, FirstImages);
        float[] first = images[..(count * image.SampleCount)];
        long backwards = net.Device.BackwardPasses;
        float[] logits = Logits(net, plan, first, image, count, 0);
        if (net.Device.BackwardPasses != backwards)
            yield return new("dynamic",
                "The model's forward pass computes gradients: it may adapt to its input, which these attacks do not take into account.");
        if (IsRandom(net, plan, first, labels, image, count, logits))
            yield return new(Randomized,
                $"The model's output varies between equal inputs: {(Averages(plan) ? "one pass decides on each image, and another seed "
                    + "gives another result" : "use aa-rand, whose attacks average gradients")}.");
        else if (plan.Transform is null && DependsOnBatch(net, plan, first, image, count, logits))
            yield return new("batch-dependent", "The model's output for an image depends on its batch: is a layer in training mode?");
        if (Noise(net, plan, first, image, logits) is { } noise) yield return noise;
        if (AreProbabilities(logits, net.Classes))
            yield return new("probabilities",
                "The model returns probabilities: give it logits, since gradients through softmax vanish where it is certain.");
        if (ClassCount(plan, net.Classes) is { } problem) yield return problem;
        if (labels.Length < FewImages)
            yield return new("few-points", FormattableString.Invariant(
                $"{labels.Length} images are few: mind the interval beside each accuracy; 1000 are usual, the whole set for a leaderboard."));
    }

    /// <summary>Checks a finished ledger.</summary>
    public static IEnumerable<EvaluationWarning> After(IReadOnlyList<LedgerEntry> entries, EvaluationManifest manifest,
        EvaluationReport report)
    {
        LedgerEntry[] outside = [.. entries.Where(e => e.IsInfeasible)];
        if (outside.Length > 0)
            yield return new("infeasible", FormattableString.Invariant(
                $"{outside.Length} results of {string.Join(", ", outside.Select(e => e.Attack).Distinct())} lay outside ball or box and were not counted (image {outside.Min(e => e.Sample)} first): a mistake of the attack."));
        foreach (var group in entries.Where(e => e.Eps >= 0 && e.Attack != LedgerEntry.Reused).GroupBy(e => e.Attack)
            .Where(group => group.All(e => e.Forwards == 0)))
            yield return new("no-query", $"{group.Key} never asked the network: it attacked nothing, unless its points were made before.");
        foreach (var group in entries.Where(e => e.ZeroGradients > 0).GroupBy(e => e.Attack))
            yield return new("zero-gradient", FormattableString.Invariant(
                $"{group.Key} met gradients of zero at {group.Select(e => e.Sample).Distinct().Count()} images ({group.Sum(e => e.ZeroGradients)} of {entries.Where(e => e.Attack == group.Key).Sum(e => e.Backwards)} gradients): they may be masked, and robustness overestimated."));
        if (entries.Sum(e => e.BadGradients) is > 0 and var bad)
            yield return new("bad-gradient", FormattableString.Invariant(
                $"{bad} gradients held NaN or infinity and were taken for zero there: the model's derivative is broken, and robustness overestimated."));
        if (Plateau(entries) is { } plateau) yield return plateau;
        foreach (var column in report.Columns)
            if (SquareImproves(column, report) is { } warning) yield return warning;
        if (BlackBoxWins(entries) is { } wins) yield return wins;
        foreach (var warning in Growing(report, manifest)) yield return warning;
    }

    private static bool Averages(EvaluationPlan plan) => plan.Suites.SelectMany(s => s.Attacks).All(a => a is Apgd { Draws: > 1 });

    /// <summary>
    /// How often a random point of the smallest ball changes the class: against such a model even a broken attack looks strong.
    /// </summary>
    private static EvaluationWarning? Noise(Classifier net, EvaluationPlan plan, float[] images, Shape image, float[] clean)
    {
        int size = image.SampleCount, count = images.Length / size, classes = net.Classes, broken = 0;
        float[] noisy = [.. Enumerable.Range(0, count).SelectMany(i => plan.Norm.Geometry.InBall(
            images[(i * size)..((i + 1) * size)], plan.Radii[0].Value,
            new RandomKey(plan.Seed, Purpose.Noise, 0, plan.First + i, 0, 0).Stream()))];
        float[] logits = Logits(net, plan, noisy, image, count, 0);
        for (int i = 0; i < count; i++)
            if (Nn.Predictions.ArgMax(logits.AsSpan(i * classes, classes)) != Nn.Predictions.ArgMax(
                clean.AsSpan(i * classes, classes))) broken++;
        return broken <= MuchNoise * count ? null
            : new("noise", FormattableString.Invariant(
            $"Random noise alone, at eps {plan.Radii[0].Text}, changes the class of {broken} of the first {count} images: the radius is large for this model, or the model is not what it should be."));
    }

    /// <summary>APGD reports −1 as the iteration of its best point when no step rose above the start.</summary>
    private static EvaluationWarning? Plateau(IReadOnlyList<LedgerEntry> entries)
    {
        var runs = entries.Where(e => !e.Fooled && e.Attack.StartsWith("apgd", StringComparison.Ordinal)).ToList();
        int stuck = runs.Count(e => e.Iteration < 0);
        return stuck <= ManyStuck * runs.Count ? null
            : new("loss-plateau", FormattableString.Invariant(
            $"In {stuck} of {runs.Count} runs of APGD that failed no step raised the loss above its start: gradients lead nowhere, and robustness may be overestimated."));
    }

    private static bool IsRandom(Classifier net, EvaluationPlan plan, float[] images, int[] labels, Shape image, int count, float[] first)
    {
        int correct = Predictions(first, labels, net.Classes);
        for (int pass = 1; pass < 5; pass++)
        {
            float[] again = Logits(net, plan, images, image, count, pass);
            if (Predictions(again, labels, net.Classes) != correct || Farthest(first, again, net.Classes) > SameLogits) return true;
        }
        return false;
    }

    private static bool DependsOnBatch(Classifier net, EvaluationPlan plan, float[] images, Shape image, int count, float[] together)
    {
        foreach (int size in new[] { 1, 7 })
            for (int from = 0; from < Math.Min(count, 2 * size); from += size)
            {
                int n = Math.Min(size, count - from);
                float[] part = Logits(net, plan, images[(from * image.SampleCount)..((from + n) * image.SampleCount)], image, n, 0);
                for (int i = 0; i < part.Length; i++)
                    if (!(Math.Abs(part[i] - together[from * net.Classes + i]) <= SameLogits * Math.Max(1, Math.Abs(part[i])))) return true;
            }
        return false;
    }

    private static bool AreProbabilities(float[] logits, int classes) =>
        logits.Max() < 1 + LittleZero && logits.Min() > -LittleZero
        && logits.Chunk(classes).All(row => Math.Abs(row.Sum() - 1) < LittleZero);

    private static EvaluationWarning? ClassCount(EvaluationPlan plan, int classes)
    {
        var attacks = plan.Suites.SelectMany(s => s.Attacks).ToList();
        bool dlr = attacks.Any(a => a is Apgd { Loss: DlrLoss, Targets: var t } && classes < (t > 0 ? 4 : 3));
        bool targets = attacks.Any(a => a is Apgd { Targets: var t } && t + 1 > classes || a is Fab { Targets: var f } && f + 1 > classes);
        string[] changed = [.. targets ? ["fewer targets"] : Array.Empty<string>(), .. dlr ? ["another loss"] : Array.Empty<string>()];
        bool labelled = plan.Suites.Any(s => s.Label.Contains("adapted", StringComparison.Ordinal));
        string verdict = labelled ? "the result is labelled as adapted and is" : "it is";
        return changed.Length == 0 ? null : new(ClassCounted, FormattableString.Invariant(
            $"With {classes} classes the attacks take {string.Join(" and ", changed)}: {verdict} not the standard one."));
    }

    private static EvaluationWarning? SquareImproves(ColumnResult column, EvaluationReport report)
    {
        var square = column.Stages.LastOrDefault(s => s.Attack == "square");
        var others = column.Stages.Where(s => s.Attack != "square").Select(s => s.Robust).Append(report.CleanCorrect).ToList();
        if (square is null || others.Count < 2 || square.Robust >= others.Min() - SquareSlack * report.Images) return null;
        return new("square-improves", FormattableString.Invariant(
            $"Square, which sees no gradient, broke {others.Min() - square.Robust} images in '{column.Suite}' that gradient attacks had left: gradients may be masked."));
    }

    private static EvaluationWarning? BlackBoxWins(IReadOnlyList<LedgerEntry> entries)
    {
        int[] samples = [.. entries.Where(e => e is { Attack: "square", Fooled: true, Stage: > 0 }).Select(e => e.Sample).Distinct()];
        return samples.Length == 0 ? null
            : new("black-box-wins",
            $"Images that Square broke after other attacks had failed: {string.Join(", ", samples.Take(20))}"
                + $"{(samples.Length > 20 ? $" and {samples.Length - 20} more" : "")}.");
    }

    private static IEnumerable<EvaluationWarning> Growing(EvaluationReport report, EvaluationManifest manifest)
    {
        int last = manifest.EpsValues.Count - 1;
        if (manifest.Norm != Norm.Linf.Name || manifest.EpsValues[last] < 0.5) yield break;
        foreach (var column in report.Columns.Where(c => c.Eps == last && c.Robust > 0))
            yield return new("large-eps", FormattableString.Invariant(
                $"'{column.Suite}' leaves {column.Robust} images at eps {manifest.Eps[last]}, where any image can be made of any other: the attack fails for another reason than robustness."));
    }

    private static int Predictions(float[] logits, int[] labels, int classes) =>
        Enumerable.Range(0, logits.Length / classes)
        .Count(i => Nn.Predictions.ArgMax(logits.AsSpan(i * classes, classes)) == labels[i]);

    /// <summary>Largest distance of two rows of logits, each scaled to length 1.</summary>
    private static double Farthest(float[] a, float[] b, int classes) =>
        a.Chunk(classes).Zip(b.Chunk(classes), (p, q) => Norm.L2.Distance(Unit(p), Unit(q))).Max();

    private static float[] Unit(float[] row)
    {
        double length = Math.Sqrt(row.Sum(v => (double)v * v)) + 1e-10;
        return Array.ConvertAll(row, v => (float)(v / length));
    }

    private static float[] Logits(Classifier net, EvaluationPlan plan, float[] images, Shape image, int count, int pass)
    {
        using var runner = new AttackRunner(net, new()
        {
            Batch = Math.Clamp(count, 1, plan.Batch),
            Seed = plan.Seed + (ulong)pass,
            Transform = plan.Transform
        }, image);
        var rows = new float[count][];
        var subjects = Enumerable.Range(0, count).Select(
            i => new Subject(runner, i, images.AsSpan(i * image.SampleCount, image.SampleCount).ToArray(), 0));
        runner.Run(subjects, async s => rows[s.Index] = (await s.Logits(s.Image)).Logits);
        return [.. rows.SelectMany(row => row)];
    }
}
