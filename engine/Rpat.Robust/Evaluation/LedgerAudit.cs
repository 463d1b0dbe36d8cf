namespace Rpat.Robust.Evaluation;

/// <summary>
/// Whether a ledger is what a plan must produce: one clean line per image; for each column and each correct image, a line for
/// every part of every attack until one succeeded and none after that; successes of a smaller radius taken over; and nothing else.
/// </summary>
internal sealed class LedgerAudit(EvaluationManifest manifest, IReadOnlyList<LedgerEntry> ledger)
{
    private readonly Dictionary<(int, string, int, int, int, int), LedgerEntry> _left = [];
    private readonly Dictionary<(int, string, int), LedgerEntry> _broken = [];
    private readonly List<string> _problems = [];

    /// <summary>What is wrong, one sentence each.</summary>
    public IReadOnlyList<string> Problems()
    {
        foreach (var e in ledger)
        {
            if (!_left.TryAdd(e.Key, e)) _problems.Add($"the ledger has two lines of {Name(e)}");
            if (Flaw(e) is { } flaw) _problems.Add($"the ledger's line of {Name(e)} {flaw}");
        }
        for (int i = 0; i < manifest.Images; i++)
        {
            var clean = Take((-1, LedgerEntry.Clean, 0, i, 0, 0), LedgerEntry.Clean);
            if (clean is null) _problems.Add($"the ledger has no clean line of image {i}");
            if (clean is { Fooled: false })
                foreach (var column in manifest.Columns) Follow(column, i);
        }
        _problems.AddRange(_left.Values.Select(e => $"the ledger has a line of {Name(e)}, which the plan does not ask for"));
        return _problems;
    }

    /// <summary>Checks one image in one column.</summary>
    private void Follow(ColumnPlan column, int image)
    {
        if (_broken.GetValueOrDefault((column.Eps - 1, column.Suite, image)) is { } smaller)
        {
            var expected = smaller.TakenOver(column.Eps);
            if (!_left.Remove(expected.Key, out var taken) || taken != expected)
                _problems.Add($"{Where(column, image)} was broken at eps {manifest.Eps[column.Eps - 1]}, which is not taken over");
            _broken[(column.Eps, column.Suite, image)] = expected;
            return;
        }
        for (int stage = 0; stage < column.Stages.Count; stage++)
            foreach (var part in column.Stages[stage].Parts)
            {
                if (Take((column.Eps, column.Suite, stage, image, part.Rank, part.Restart), column.Stages[stage].Attack) is not { } entry)
                {
                    string name = $"{column.Stages[stage].Attack} (rank {part.Rank}, restart {part.Restart})";
                    _problems.Add($"{Where(column, image)} counts as robust, but {name} did not run on it");
                    return;
                }
                if (!entry.Fooled) continue;
                _broken[(column.Eps, column.Suite, image)] = entry;
                return;
            }
    }

    private string Where(ColumnPlan column, int image) => $"image {image} in {column.Suite} at eps {manifest.Eps[column.Eps]}";

    private LedgerEntry? Take((int, string, int, int, int, int) key, string attack) =>
        _left.TryGetValue(key, out var entry) && entry.Attack == attack && _left.Remove(key) ? entry : null;

    /// <summary>What no valid line can contain, or null.</summary>
    private static string? Flaw(LedgerEntry e)
    {
        bool clean = e.Eps < 0, taken = e.Attack == LedgerEntry.Reused, counted = e.Fooled && !clean;
        if (e.Forwards < e.Backwards || Math.Min(e.ZeroGradients, e.BadGradients) < 0
            || Math.Max(e.ZeroGradients, e.BadGradients) > e.Backwards)
            return "counts more gradients than evaluations, or fewer than none";
        if (clean ? (e.Forwards, e.Backwards, e.Iteration, e.Norm) != (1, 0, 0, 0) : taken && e.Forwards > 0 || e.Iteration < -1)
            return "counts evaluations that such a part does not make";
        if (!double.IsFinite(e.Norm) || !double.IsFinite(e.Margin) || e.Norm < 0) return "holds a number that is none";
        if (counted != e.Digest.Length > 0) return counted ? "counts an image without a picture" : "names a picture, but counts no image";
        if (!clean && !e.Fooled && (e.Prediction, e.Margin) != (-1, 0)) return "tells the class of a picture that was not kept";
        return (clean || counted) && (e.Fooled ? e.Margin > 0 : e.Margin < 0) ? "has a margin that belies its verdict" : null;
    }

    private string Name(LedgerEntry e) => e.Eps < 0
        ? FormattableString.Invariant($"image {e.Sample} without attack")
        : $"image {e.Sample} in {e.Suite} at eps {manifest.Eps.ElementAtOrDefault(e.Eps) ?? "?"}, {e.Attack} (rank {e.Rank}, restart "
            + $"{e.Restart})";
}
