using System.Xml.Linq;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Studies;

/// <summary>What a study's rows say: tables, charts and a page, from the rows alone.</summary>
internal sealed class StudyReport
{
    private const string Failure = "failure", Success = "success", Tenths = "0.0;−0.0";

    private static readonly string[] _distances = ["d_full", "d_first", "d_second"];

    private readonly string _name;
    private readonly List<(string Name, List<StudyRecord> Rows)> _variants;
    private readonly List<(string Variant, string Against, string Outcome, StudyEffect Effect)> _effects;

    /// <summary>Reports on rows.</summary>
    public StudyReport(string name, IReadOnlyList<StudyRecord> rows)
    {
        if (rows.Count == 0) throw new DataException($"study '{name}' has no finished rows: 'rpat reproduce --study {name}' does them.");
        _name = name;
        _variants = [.. rows.GroupBy(row => row["variant"]).Select(group => (group.Key, group.ToList()))];
        _effects = [.. Effects()];
    }

    private IEnumerable<StudyRecord> Rows => _variants.SelectMany(variant => variant.Rows);

    private StudyRecord First => Rows.First();

    /// <summary>The tables with their titles.</summary>
    public IReadOnlyList<(string Title, TextTable Table)> Tables =>
    [
        ("Accuracy", Accuracies()), ("Differences", Differences()), ("Networks of the same seed, image by image", Paired()),
        ($"Robust overfitting: {First["monitor"]}, best network − last", Falls()),
        ("Perception", Perceptions()), ("Change of perception, failures over successes, with 95 % interval", Ratios()),
    ];

    /// <summary>The charts, by the names that their files get.</summary>
    public IReadOnlyList<(string Name, XElement Chart)> Charts() =>
    [
        ("accuracy", AccuracyChart()), ("difference", DifferenceChart()), ("validation", ValidationChart()),
        ("perception", PerceptionChart("rho", "normalised residual of the logits")),
        ("distance", PerceptionChart("way", "distance of the logits from clean")),
    ];

    /// <summary>All tables as text of one format.</summary>
    public string Write(string format) => string.Join('\n', Tables.Select(table => format == "md"
        ? $"**{table.Title}**\n\n{table.Table.Write(format)}" : table.Table.Write(format))) + (format == "md" ? $"\n{Facts()}.\n" : "");

    /// <summary>The page.</summary>
    public string Page() => Html.Page($"Study {_name}", string.Concat(
        $"<header>\n<h1>Study {Html.Text(_name)}</h1>\n<p class=\"soft\">{Html.Text(Facts())}</p>\n</header>\n",
        Html.Section("Charts", Figures()),
        string.Concat(Tables.Select(table => Html.Section(table.Title,
            Html.Table(table.Table.Head, table.Table.Rows.Select(row => ("", row))))))));

    private string Figures() =>
        $"<div class=\"grid\">\n{string.Concat(Charts().Select(one => $"<figure>{Svg.Inline(one.Chart)}</figure>\n"))}</div>\n";

    // What all rows share, and what they cost together.
    private string Facts()
    {
        double hours = Rows.Sum(row => row.Number("core_seconds")) / 3600;
        return $"{Rows.Count()} networks, eps {First["eps"]}, {First["epochs"]} epochs; {First["attack"]} on {First["images"]} images, "
            + FormattableString.Invariant($"{First["monitor"]} on {First["held_out"]}; {hours:F1} core hours");
    }

    private static string AttackOf(StudyRecord row, string outcome) => outcome switch
    {
        StudyRecord.Clean => "Clean",
        StudyRecord.Pgd => row["monitor"],
        _ => row["attack"],
    };

    private static Spread SpreadOf(IEnumerable<StudyRecord> rows, Func<StudyRecord, double> of) =>
        Spread.Of([.. rows.Select(of).Where(double.IsFinite)]);

    private TextTable Accuracies() => new(
        ["variant", "seeds", "Clean", First["monitor"], First["attack"], "best epoch", "core minutes"],
        [
            .. _variants.Select(variant => (string[])
            [
                variant.Name, $"{variant.Rows.Count}",
                .. new[] { StudyRecord.Clean, StudyRecord.Pgd, StudyRecord.Robust }.Select(outcome =>
                    SpreadOf(variant.Rows, row => row.Number(outcome)).Percent("F1")),
                string.Join(' ', variant.Rows.Select(row => row["best_epoch"])),
                (variant.Rows.Average(row => row.Number("core_seconds")) / 60).ToString("F0", CultureInfo.InvariantCulture),
            ]),
        ], RightFrom: 1);

    private IEnumerable<(string Variant, string Against, string Outcome, StudyEffect Effect)> Effects() =>
        from variant in _variants
        let against = _variants.Find(other => other.Name == variant.Rows[0]["against"])
        where against.Rows is not null
        from outcome in new[] { StudyRecord.Clean, StudyRecord.Pgd, StudyRecord.Robust }
        let effect = StudyEffect.Of(variant.Rows, against.Rows, outcome)
        where effect is not null
        select (variant.Name, against.Name, outcome, effect);

    private TextTable Differences() => new(
        ["variant", "against", "measured", "images", "seeds", "difference, points", "95 % interval", "detectable"],
        [
            .. _effects.Select(one => (string[])
            [
                one.Variant, one.Against, AttackOf(First, one.Outcome), $"{one.Effect.Tests[0].Test.Images}", $"{one.Effect.Tests.Count}",
                PairedTest.Points(one.Effect.Difference),
                one.Effect.Tests.Count > 1 ? PairedTest.Points(one.Effect.Interval) : "–",
                one.Effect.Tests.Count > 1 ? (100 * one.Effect.Detectable).ToString("F2", CultureInfo.InvariantCulture) : "–",
            ]),
        ], RightFrom: 3);

    private TextTable Paired() => new(["variant", "against", "measured", "seed", "only first right", "only second right", "p (McNemar)"],
    [
        .. from one in _effects
           where one.Outcome == StudyRecord.Robust
           from test in one.Effect.Tests
           select (string[])[one.Variant, one.Against, AttackOf(First, one.Outcome), $"{test.Seed}", $"{test.Test.OnlyFirst}",
               $"{test.Test.OnlySecond}", test.Test.PText],
    ], RightFrom: 3);

    // Compared as means over seeds: of the last network it is not known which images it has right.
    private TextTable Falls() => new(
        ["variant", "seeds", "best − last", "seed by seed", "against", "difference, points", "95 % interval"],
        [
            .. from variant in _variants
               let falls = FallsOf(variant.Rows)
               where falls.Count > 0
               let against = _variants.Find(other => other.Name == variant.Rows[0]["against"])
               let others = FallsOf(against.Rows ?? [])
               let paired = Spread.Of([.. falls.Where(fall => others.ContainsKey(fall.Key)).Select(fall => fall.Value - others[fall.Key])])
               let reach = StudyEffect.Reach(paired)
               select (string[])
               [
                   variant.Name, $"{falls.Count}", Spread.Of(falls.Values).Percent(Tenths),
                   string.Join(", ", falls.Values.Select(fall => Spread.Of([fall]).Percent(Tenths))), against.Name ?? "",
                   paired.Count > 0 ? PairedTest.Points(paired.Mean) : "",
                   paired.Deviation > 0 ? PairedTest.Points((paired.Mean - reach, paired.Mean + reach)) : "",
               ],
        ], RightFrom: 1);

    private static Dictionary<string, double> FallsOf(IEnumerable<StudyRecord> rows) => rows
        .Where(row => row["last_pgd"].Length > 0)
        .ToDictionary(row => row["seed"], row => row.Number(StudyRecord.Pgd) - row.Number("last_pgd"));

    private TextTable Perceptions() => new(["variant", "images", "seeds", "share", "D_full", "D_first", "D_second", "rho(1/2)"],
    [
        .. from variant in _variants
           from @group in new[] { Success, Failure }
           select (string[])
           [
               variant.Name, @group, $"{variant.Rows.Count}",
               SpreadOf(variant.Rows, row => row.Number($"{@group}_images") / All(row)).Percent("F1"),
               .. _distances.Select(d => Plain(SpreadOf(variant.Rows, row => row.Number($"{@group}_{d}")))),
               Plain(SpreadOf(variant.Rows, row => At(row, $"{@group}_rho", 0.5))),
           ],
    ], RightFrom: 2);

    private TextTable Ratios() => new(["variant", "seeds", "D_full", "D_first", "D_second"],
    [
        .. _variants.Select(variant => (string[])
        [
            variant.Name, $"{variant.Rows.Count}",
            .. _distances.Select(d => Ratio(SpreadOf(variant.Rows, row =>
                Math.Log(row.Number($"{Failure}_{d}") / row.Number($"{Success}_{d}"))))),
        ]),
    ], RightFrom: 1);

    // The mean over seeds of a ratio's logarithm.
    private static string Ratio(Spread logs)
    {
        string Of(double log) => Math.Exp(log).ToString("F2", CultureInfo.InvariantCulture);
        double reach = StudyEffect.Reach(logs);
        return logs.Count switch
        {
            0 => "–",
            1 => Of(logs.Mean),
            _ => $"{Of(logs.Mean)} ({Of(logs.Mean - reach)} to {Of(logs.Mean + reach)})",
        };
    }

    private static double All(StudyRecord row) => row.Number($"{Success}_images") + row.Number($"{Failure}_images");

    private static double At(StudyRecord row, string column, double alpha) =>
        row.Numbers("alphas").Zip(row.Numbers(column)).Where(point => point.First == alpha).Select(point => point.Second)
            .FirstOrDefault(double.NaN);

    private static string Plain(Spread spread) => spread.Count switch
    {
        0 => "–",
        1 => Number(spread.Mean),
        _ => $"{Number(spread.Mean)} ± {Number(spread.Deviation)}",
    };

    private static string Number(double value) => value.ToString("F4", CultureInfo.InvariantCulture);

    private XElement AccuracyChart() => SvgBarChart.Draw(
        new ChartText("Accuracy, mean ± deviation over seeds", "", "% of images"),
        [.. _variants.Select(variant => variant.Name)],
        [.. new[] { StudyRecord.Clean, StudyRecord.Pgd, StudyRecord.Robust }.Select(outcome => Bars(AttackOf(First, outcome),
            [.. _variants.Select(variant => SpreadOf(variant.Rows, row => row.Number(outcome)))]))]);

    private static BarSeries Bars(string name, IReadOnlyList<Spread> spreads) => new(name, [.. spreads.Select(s => 100 * s.Mean)],
        [.. spreads.Select(s => (100 * (s.Mean - s.Deviation), 100 * (s.Mean + s.Deviation)))]);

    private XElement DifferenceChart()
    {
        string[] variants = [.. _effects.Select(one => one.Variant).Distinct().DefaultIfEmpty("none yet")];
        return SvgBarChart.Draw(new ChartText("Difference with 95 % interval", "", "points"), variants,
        [
            .. new[] { StudyRecord.Clean, StudyRecord.Robust }.Select(outcome => Bars(AttackOf(First, outcome),
                [.. variants.Select(variant => _effects.Find(one => one.Variant == variant && one.Outcome == outcome).Effect)])),
        ]);
    }

    private static BarSeries Bars(string name, IReadOnlyList<StudyEffect?> effects) => new(name,
        [.. effects.Select(e => 100 * (e?.Difference ?? double.NaN))],
        [.. effects.Select(e => e is null ? (double.NaN, double.NaN) : (100 * e.Interval.Low, 100 * e.Interval.High))]);

    private XElement ValidationChart() => SvgLineChart.Draw(
        new ChartText("Robust accuracy on validation images, mean over seeds", "epoch", "% of images"),
        [.. _variants.Select(variant => new LineSeries(variant.Name, Mean(variant.Rows, Validation)))]);

    // Measured every so many epochs, the last of which is the last.
    private static IEnumerable<(double X, double Y)> Validation(StudyRecord row)
    {
        var values = row.Numbers("validation");
        double every = row.Number("epochs") / values.Count;
        return values.Select((value, i) => ((i + 1) * every, 100 * value));
    }

    // Of the first variant, the baseline.
    private XElement PerceptionChart(string measure, string title) => SvgLineChart.Draw(
        new ChartText($"{_variants[0].Name}: {title}", "alpha", "share of the whole"),
        [.. new[] { Success, Failure }.Select(group => new LineSeries(group, Mean(_variants[0].Rows, row =>
            row.Numbers("alphas").Zip(row.Numbers($"{group}_{measure}")))))]);

    private static List<(double X, double Y)> Mean(IEnumerable<StudyRecord> rows,
        Func<StudyRecord, IEnumerable<(double X, double Y)>> points) =>
        [.. rows.SelectMany(points).GroupBy(point => point.X).Select(at => (at.Key, at.Average(point => point.Y)))];
}
