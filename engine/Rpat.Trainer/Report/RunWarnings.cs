using Rpat.Trainer.Evaluation;

namespace Rpat.Trainer.Report;

/// <summary>What a reader must know before trusting a run's numbers.</summary>
internal static class RunWarnings
{
    private const int Few = 1000;
    private const string FewImages = "few-points";
    private const double Overfit = 0.05;

    /// <summary>The sentences, most serious first.</summary>
    public static IEnumerable<string> Of(RunData run)
    {
        if (run.Record is { Status: not RunStatus.Finished } record)
            yield return $"The run is {run.Status}, not finished{(record.Error is { } error ? $": {error.TrimEnd('.')}" : "")}"
                + (run.Status == "running" ? "." : $": 'rpat {Resume(run)}' resumes it.");
        if (run.Events.Any(e => e.Values.Any(v => !double.IsFinite(v.Value)))) yield return "Some metrics are not finite numbers.";
        if (run.Robust is null) yield return "Robustness has not been measured: run 'rpat eval' with attacks.";
        else if (!run.Deciding.Any(RunData.IsAutoAttack))
            yield return $"Robust accuracy was measured by {By(run)}, which overestimates it"
                + (run.Checkpoint is { } file && OnnxModel.Is(file) ? "." : ": 'rpat eval … --attacks aa' runs AutoAttack.");
        if (run.Robust is { Images: < Few } few && !run.Warnings.Any(w => w.Contains("images are few", StringComparison.Ordinal)))
            yield return FormattableString.Invariant($"Robust accuracy rests on {few.Images} images: see the interval before comparing.");
        if (Overfitting(run) is { } sentence) yield return sentence;
    }

    private static string Resume(RunData run) => ShellWord.Line(["train", "--resume", run.Name, .. RunPlugins.Options(run.Folder)]);

    /// <summary>The warnings of evaluations, each once with the evaluations that gave it.</summary>
    public static IEnumerable<string> Joined(IEnumerable<(string Evaluation, EvaluationWarning Warning)> given) =>
        from one in given
        group one by one.Warning.Flag == FewImages ? FewImages : one.Warning.Message into same
        let first = same.First().Warning.Message
        let counts = same.Select(one => one.Warning.Message.Split(' ')[0]).Distinct().ToArray()
        let sentence = counts.Length == 1 ? first : $"{string.Join(", ", counts)}{first[counts[0].Length..]}"
        select $"{string.Join(", ", same.Select(one => one.Evaluation))}: {sentence}";

    private static string By(RunData run)
    {
        string[] names = [.. run.Deciding.Where(a => a is { IsClean: false, Depth: 0 }).Select(a => a.Attack).Distinct()];
        return names.All(name => name.StartsWith("PGD", StringComparison.Ordinal)) ? "PGD alone" : string.Join(", ", names);
    }

    // The best robust accuracy on held-out images is better than the last one: Rice, Wong, Kolter, ICML 2020.
    private static string? Overfitting(RunData run)
    {
        string split = run.Events.Any(e => e.Split == "val") ? "val" : "test";
        string? metric = run.Events.Where(e => e.Split == split).SelectMany(e => e.Values).Select(v => v.Name)
            .FirstOrDefault(name => name.Contains("pgd", StringComparison.OrdinalIgnoreCase)
            || name.Contains("adv", StringComparison.OrdinalIgnoreCase));
        if (metric is null) return null;
        var curve = run.Curve(split, metric);
        double best = curve.Max(p => p.Y), last = curve[^1].Y;
        if (best - last < Overfit) return null;
        return FormattableString.Invariant(
            $"Robust overfitting: {metric} on validation images was {100 * best:F1} % at epoch {curve.MaxBy(p => p.Y).X:F0} and is {100 * last:F1} % now.");
    }
}
