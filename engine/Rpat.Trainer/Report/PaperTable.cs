namespace Rpat.Trainer.Report;

/// <summary>
/// The table of a paper: a row for the runs that differ in nothing but their seeds and were measured alike, with their mean and
/// deviation; a column for each attack, then Mean and NRR.
/// </summary>
internal sealed class PaperTable
{
    private static readonly string[] _keys =
    [
        ConfigKeys.Of(c => c.Method.Name).Path, ConfigKeys.Of(c => c.Model.Name).Path, ConfigKeys.Of(c => c.Data.Name).Path,
        ConfigKeys.Of(c => c.Attack.Norm).Path, ConfigKeys.Of(c => c.Attack.Eps).Path,
    ];

    private static readonly string[] _titles = ["Method", "Network", "Data", "Images", "Threat", "Seeds"];

    private readonly List<RunGroup> _rows;
    private readonly int[] _shown;
    private readonly Column[] _attacks;

    /// <summary>Makes the table of compared runs; those without a result are left out.</summary>
    public PaperTable(SharedEvaluation compared)
    {
        RunData[] runs = [.. compared.Runs.Where(run => run.AnyResult is not null)];
        string[] parting = [.. RunLabels.Parting(runs, _keys[..3])];
        _rows =
        [
            .. from run in runs
               let values = string.Join('\n', Values(run, parting))
               group run by (Values: values, run.AnyResult!.Conditions, run.Robust?.Attack, run.Robust?.Threat) into same
               select new RunGroup([.. same.Key.Values.Split('\n'), Seeds(same)], [.. same], ""),
        ];
        _shown = [.. Enumerable.Range(0, _titles.Length).Where(i => i == 0 || _rows.Select(row => row.Values[i]).Distinct().Count() > 1)];
        _attacks =
        [
            .. runs.SelectMany(run => run.Counting).Where(a => !a.IsClean).Select(a => new Column(a.Attack, a.Threat)).Distinct(),
            .. compared.More.Select(a => new Column(a.Attack, a.Threat, a)),
        ];
    }

    /// <summary>The table in a format of <see cref="TextTable.Formats"/>, with what it rests on below it.</summary>
    public string Write(string format)
    {
        string table = Table(format == "csv").Write(format);
        return format switch
        {
            "csv" => table,
            "latex" => $"{table}% {Basis()}\n",
            _ => $"{table}\n{Basis()}\n",
        };
    }

    // A checkpoint from elsewhere has no settings: its name stands for all of them, and its threat is that of the evaluation.
    private static IEnumerable<string> Values(RunData run, string[] parting)
    {
        string method = run.Checkpoint is null ? RecipeRows.MethodTitle(run.Setting(_keys[0])) : run.Name;
        var settings = parting.Select(key => RunLabels.Said(key, run.Setting(key))).Where(said => said.Length > 0);
        return
        [
            string.Join(", ", settings.Prepend(method)), run.Setting(_keys[1]), run.Setting(_keys[2]),
            run.AnyResult!.Images.ToString(CultureInfo.InvariantCulture),
            run.Robust?.Threat ?? (run.Checkpoint is null
                ? string.Join(" eps ", _keys[3..].Select(run.Setting).Where(value => value.Length > 0)) : ""),
        ];
    }

    private static string Seeds(IEnumerable<RunData> runs) => string.Join(", ", runs.Select(run => run.Setting(RunLabels.Seed)).Where(
        seed => seed.Length > 0).OrderBy(seed => seed.Length).ThenBy(seed => seed, StringComparer.Ordinal));

    private TextTable Table(bool apart)
    {
        bool several = _rows.Any(row => row.Runs.Count > 1);
        string[] settings = [.. _shown.Select(i => _titles[i]), .. several ? ["Runs"] : Array.Empty<string>()];
        string[] measured = ["Clean", .. _attacks.Select(Title), "Mean", "NRR"];
        return new([.. settings, .. measured.SelectMany(name => apart && several ? new[] { name, $"{name} sd" } : [name])],
        [
            .. _rows.Select(row => (string[])
            [
                .. _shown.Select(i => row.Values[i]), .. several ? [$"{row.Runs.Count}"] : Array.Empty<string>(),
                .. Spreads(row).SelectMany(spread => apart ? spread.Apart().Take(several ? 2 : 1) : [Percent(spread, row.Runs.Count)]),
            ]),
        ], settings.Length);
    }

    private static string Percent(Spread spread, int runs) =>
        spread.Count > 0 && spread.Count < runs ? $"{spread.Percent()} ({spread.Count} of {runs} runs)" : spread.Percent();

    private IEnumerable<Spread> Spreads(RunGroup row)
    {
        var measured = row.Spreads;
        return [measured[0], .. _attacks.Select(attack => row.Of(attack.Value)), measured[2], measured[3]];
    }

    // The threat model is said once if there is but one.
    private string Title(Column of)
    {
        string threat = _attacks.Select(attack => attack.Threat).Distinct().Count() > 1 ? $", {of.Threat}" : "";
        return of.Other is { } other ? FormattableString.Invariant($"{of.Attack}{threat}, {other.Images} images") : of.Attack + threat;
    }

    private string Basis()
    {
        string shared = string.Join(", ", Enumerable.Range(0, _titles.Length).Except(_shown)
                .Select(i => (Title: _titles[i].ToLowerInvariant(), Value: _rows.FirstOrDefault()?.Values[i]))
                .Where(pair => pair.Value is { Length: > 0 }).Select(pair => $"{pair.Title} {pair.Value}")),
            spread = _rows.Any(row => row.Runs.Count > 1) ? "; mean ± standard deviation (n − 1) over seeds" : "";
        var robust = _rows.Select(row => row.Runs[0].Robust).OfType<MeasuredAccuracy>().ToList();
        bool isOneThreat = robust.Select(one => one.Threat).Distinct().Count() < 2;
        string[] attacks = [.. robust.Select(one => isOneThreat ? one.Attack : $"{one.Attack}, {one.Threat}").Distinct()];
        string basis = attacks.Length < 2 ? "the strongest attack that all these runs were measured by"
            : $"the strongest attack of each row ({string.Join(", ", attacks)}), so that rows of different attacks cannot be compared";
        return $"In percent of held-out images{(shared.Length > 0 ? $"; {shared}" : "")}{spread}; Mean and NRR of Clean and {basis}.";
    }

    /// <summary>A column.</summary>
    /// <param name="Other">An accuracy under the conditions that it was measured under, if they are not those that count.</param>
    private sealed record Column(string Attack, string Threat, MeasuredAccuracy? Other = null)
    {
        public double? Value(RunData run) => (Other is null ? run.Counting
            : run.Measured.First(measured => measured[0].Conditions == Other.Conditions))
            .FirstOrDefault(a => (a.Attack, a.Threat) == (Attack, Threat))?.Value;
    }
}
