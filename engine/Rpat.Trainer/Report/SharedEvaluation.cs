namespace Rpat.Trainer.Report;

/// <summary>
/// Runs that are compared, each with the accuracies that count. Accuracies can be compared if they are of as many of the same images under
/// the same threat model: of those conditions the ones count that most runs share, with AutoAttack if all of these ran it, then of most
/// images. A run that was not measured so counts by what it shares with the rest.
/// </summary>
/// <param name="Runs">The runs, as they were given.</param>
/// <param name="More">Attacks that all runs withstood alike under other conditions than those that count.</param>
/// <param name="LeftOut">Measured, and neither.</param>
internal sealed record SharedEvaluation(
    IReadOnlyList<RunData> Runs, IReadOnlyList<MeasuredAccuracy> More, IReadOnlyList<string> LeftOut)
{
    private const string End = "end";

    /// <summary>Chooses.</summary>
    /// <param name="wanted">The evaluation that counts: its folder's name, <c>end</c> for that of the training's end, or a number of
    /// images; null to choose.</param>
    /// <exception cref="UsageException">No run has it.</exception>
    public static SharedEvaluation Of(IReadOnlyList<RunData> runs, string? wanted = null)
    {
        RunData[] chosen = [.. Only(runs, wanted)];
        List<int> left = [.. Enumerable.Range(0, chosen.Length).Where(i => chosen[i].Accuracies.Count > 0)];
        while (left.Count > 0)
        {
            var best = Best(chosen, left.SelectMany(i => chosen[i].Measured.Select(measured => (i, measured))));
            var shared = best.Select(one => one.Measured.Select(Attack)).Aggregate((a, b) => a.Intersect(b)).ToHashSet();
            foreach (var (i, measured) in best)
                chosen[i] = chosen[i] with { Chosen = [.. measured.Where(a => shared.Count < 2 || shared.Contains(Attack(a)))] };
            left.RemoveAll(best.Select(one => one.Run).Contains);
        }
        MeasuredAccuracy[] more = [.. SharedByAll(chosen)];
        return new(chosen, more, [.. Missed(chosen, more)]);
    }

    // Of a run's own network before others of its files, and of its own threat model before others.
    private static List<(int Run, IReadOnlyList<MeasuredAccuracy> Measured)> Best(RunData[] runs,
        IEnumerable<(int Run, IReadOnlyList<MeasuredAccuracy> Measured)> all) => all.GroupBy(one => one.Measured[0].Conditions)
        .OrderBy(same => same.Any(one => one.Measured[0].OtherFile.Length > 0))
        .ThenByDescending(same => same.Count(one => one.Measured.Any(a => !a.IsClean))).ThenByDescending(same => same.Count())
        .ThenByDescending(same => same.Count(one => one.Measured.Any(a => a.Threat == runs[one.Run].OwnThreat)))
        .ThenByDescending(same => same.All(one => one.Measured.Any(RunData.IsAutoAttack)))
        .ThenByDescending(same => same.First().Measured[0].Images).First().ToList();

    private static IEnumerable<RunData> Only(IReadOnlyList<RunData> runs, string? wanted)
    {
        if (wanted is null) return runs;
        if (runs.SelectMany(run => run.Accuracies).Any(a => Is(a, wanted)))
            return runs.Select(run => run with { Accuracies = [.. run.Accuracies.Where(a => Is(a, wanted))] });
        string[] names = [.. runs.SelectMany(run => run.Accuracies).Select(a => IsEnd(a) ? End : a.Source).Distinct()];
        throw new UsageException($"no run has an evaluation '{wanted}': "
            + (names.Length == 0 ? "make one with 'rpat eval'." : DidYouMean.Hint(wanted, names, "evaluations")));
    }

    private static bool Is(MeasuredAccuracy a, string wanted) => a.Source == wanted || (wanted == End && IsEnd(a))
        || (int.TryParse(wanted, CultureInfo.InvariantCulture, out int images) && images == a.Images);

    private static bool IsEnd(MeasuredAccuracy a) => a.Source.StartsWith(RunData.EndOfRun, StringComparison.Ordinal);

    private static (string, string) Attack(MeasuredAccuracy a) => (a.Attack, a.Threat);

    private static IEnumerable<MeasuredAccuracy> Others(RunData run) => run.Measured
        .Where(measured => measured[0].Conditions != run.AnyResult?.Conditions).SelectMany(measured => measured).Where(a => !a.IsClean);

    private static IEnumerable<MeasuredAccuracy> SharedByAll(RunData[] runs) => runs.Length == 0 ? [] : Others(runs[0])
        .Where(a => runs.All(run => Others(run).Any(other => Attack(other) == Attack(a) && other.Conditions == a.Conditions)
            && run.Counting.All(counted => Attack(counted) != Attack(a))))
        .OrderByDescending(a => a.Images).DistinctBy(Attack);

    private static IEnumerable<string> Missed(RunData[] runs, MeasuredAccuracy[] more) =>
        from run in runs
        from a in Others(run)
        where !more.Any(shown => Attack(shown) == Attack(a) && shown.Conditions == a.Conditions)
        group run by (a.Attack, a.Conditions) into same
        select FormattableString.Invariant($"{same.Key.Attack} on {same.Key.Conditions} ({same.Count()} of {runs.Length} runs)");
}
