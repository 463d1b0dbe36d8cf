namespace Rpat.Trainer.Report;

/// <summary>
/// The table of a paper: a row for each method, network, data set and threat model, with the mean and deviation of its runs that were
/// measured alike; a column for each attack, then Mean and NRR.
/// </summary>
internal sealed class PaperTable
{
    private static readonly (string Title, Func<RunData, string> Of)[] _settings =
    [
        ("Method", run => RecipeRows.MethodTitle(run.Setting(ConfigKeys.Of(c => c.Method.Name).Path))),
        ("Network", run => run.Setting(ConfigKeys.Of(c => c.Model.Name).Path)),
        ("Data", run => run.Setting(ConfigKeys.Of(c => c.Data.Name).Path)),
        ("Images", run => run.Clean!.Images.ToString(CultureInfo.InvariantCulture)),
        ("Threat", run => string.Join(" eps ", new[] { ConfigKeys.Of(c => c.Attack.Norm), ConfigKeys.Of(c => c.Attack.Eps) }
            .Select(key => run.Setting(key.Path)))),
    ];

    private readonly List<RunGroup> _rows;
    private readonly int[] _shown;
    private readonly (string Attack, string Threat)[] _attacks;

    /// <summary>Makes the table of runs; those without a result are left out.</summary>
    public PaperTable(IEnumerable<RunData> runs)
    {
        _rows =
        [
            .. from run in runs
               where run.Clean is not null
               let values = string.Join('\n', _settings.Select(setting => setting.Of(run)))
               group run by (Values: values, run.Robust?.Attack, run.Robust?.Threat) into same
               select new RunGroup(same.Key.Values.Split('\n'), [.. same], ""),
        ];
        _shown = [.. Enumerable.Range(0, _settings.Length).Where(i => i == 0 || _rows.Select(row => row.Values[i]).Distinct().Count() > 1)];
        _attacks = [.. _rows.SelectMany(row => row.Runs).SelectMany(run => run.Deciding).Where(a => !a.IsClean && a.Depth == 0)
            .Select(a => (a.Attack, a.Threat)).Distinct()];
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

    private TextTable Table(bool apart)
    {
        bool several = _rows.Any(row => row.Runs.Count > 1);
        string[] settings = [.. _shown.Select(i => _settings[i].Title), .. several ? ["Runs"] : Array.Empty<string>()];
        string[] measured = ["Clean", .. _attacks.Select(Title), "Mean", "NRR"];
        return new([.. settings, .. measured.SelectMany(name => apart && several ? new[] { name, $"{name} sd" } : [name])],
        [
            .. _rows.Select(row => (string[])
            [
                .. _shown.Select(i => row.Values[i]), .. several ? [$"{row.Runs.Count}"] : Array.Empty<string>(),
                .. Spreads(row).SelectMany(spread => apart ? spread.Apart().Take(several ? 2 : 1) : [spread.Percent()]),
            ]),
        ], settings.Length);
    }

    private IEnumerable<Spread> Spreads(RunGroup row)
    {
        var measured = row.Spreads;
        return [measured[0], .. _attacks.Select(attack => row.Of(run => Value(run, attack))), measured[2], measured[3]];
    }

    private static double? Value(RunData run, (string Attack, string Threat) of) =>
        run.Deciding.FirstOrDefault(a => a.Depth == 0 && (a.Attack, a.Threat) == of)?.Value;

    // The threat model is said once if there is but one.
    private string Title((string Attack, string Threat) of)
    {
        string name = of.Attack == "AutoAttack standard" ? "AA" : of.Attack;
        return _attacks.Select(attack => attack.Threat).Distinct().Count() > 1 ? $"{name}, {of.Threat}" : name;
    }

    private string Basis()
    {
        string shared = string.Join(", ", Enumerable.Range(0, _settings.Length).Except(_shown)
                .Select(i => $"{_settings[i].Title.ToLowerInvariant()} {_rows.FirstOrDefault()?.Values[i]}")),
            spread = _rows.Any(row => row.Runs.Count > 1) ? "; mean ± standard deviation where there are several runs" : "";
        return $"In percent of held-out images{(shared.Length > 0 ? $"; {shared}" : "")}{spread}; Mean and NRR of Clean and the "
            + "strongest attack.";
    }
}
