using Rpat.Robust.Settings;

namespace Rpat.Trainer.Report;

/// <summary>Runs with what they measured: a row each, or a row for those that differ in their seeds only.</summary>
/// <param name="Columns">Keys of the configuration to be shown, by the name that the user gave them.</param>
internal sealed record RunTable(IReadOnlyList<RunData> Runs, IReadOnlyList<(string Name, string Key)> Columns)
{
    private static readonly string[] _measured = ["Clean", "Robust", "Mean", "NRR"];

    // Figures of different threats cannot be compared.
    private bool IsOneThreat => Runs.Select(run => run.Robust?.Threat).OfType<string>().Distinct().Count() < 2;

    /// <summary>A row for each run.</summary>
    public TextTable Each()
    {
        (string Name, string Key)[] keys = Columns.Count > 0 ? [.. Columns]
            : [("method", ConfigKeys.Of(c => c.Method.Name).Path), ("data", ConfigKeys.Of(c => c.Data.Name).Path)];
        return new TextTable(["Run", "Status", .. keys.Select(key => key.Name), "Clean", "Robust", "Attack", "Threat", "Images", "Time"],
        [
            .. Runs.Select(run => (string[])
            [
                run.Name, run.Status, .. keys.Select(key => run.Setting(key.Key)), Percent(run.Clean?.Value), Percent(run.Robust?.Value),
                run.Robust?.Attack ?? "-", run.Robust?.Threat ?? "-", $"{(run.Robust ?? run.Clean)?.Images}",
                RunReport.Duration(run) is { Length: > 0 } time ? time : "-",
            ]),
        ], RightFrom: 2 + keys.Length)
        {
            // a name mostly tells the method
            Spare =
            [
                "Time", .. IsOneThreat ? ["Threat"] : Array.Empty<string>(),
                .. Columns.Count > 0 ? ["Status"] : new[] { "data", "Status", "method" },
            ],
        };
    }

    /// <summary>A row for the measured runs of equal values, whose other columns list what they
    /// have; those of another attack apart.</summary>
    /// <param name="apart">Whether mean and deviation are columns of their own, for programs.</param>
    public TextTable Grouped(IReadOnlyList<(string Name, string Key)> by, bool apart) => new(
    [
        .. by.Select(key => key.Name), "Runs", .. Columns.Select(column => column.Name),
        .. _measured.SelectMany(name => apart ? new[] { name, $"{name} sd" } : [name]), "Attack", "Threat", "Images",
    ],
    [
        .. Groups(by).Select(group => (string[])
        [
            .. group.Values, $"{group.Runs.Count}", .. Columns.Select(column => string.Join(", ", group.Runs.Select(
                run => run.Setting(column.Key)).Distinct())),
            .. group.Spreads.SelectMany(spread => apart ? spread.Apart() : [spread.Percent()]),
            group.Runs[0].Robust?.Attack ?? "-", group.Runs[0].Robust?.Threat ?? "-", $"{group.Runs[0].AnyResult!.Images}",
        ]),
    ], RightFrom: by.Count)
    { Spare = ["Mean", "NRR", .. IsOneThreat ? ["Threat"] : Array.Empty<string>(), "Runs"] };

    /// <summary>The groups as an object, for JSON: shares of 1.</summary>
    public object Json(IReadOnlyList<(string Name, string Key)> by) => Groups(by).Select(group => new
    {
        group = by.Zip(group.Values).ToDictionary(pair => pair.First.Key, pair => pair.Second),
        runs = group.Runs.Select(run => run.Name),
        columns = Columns.ToDictionary(column => column.Name, column => group.Runs.Select(run => run.Setting(column.Key)).Distinct()),
        attack = group.Attack,
        images = group.Runs[0].AnyResult!.Images,
        measured = _measured.Zip(group.Spreads).ToDictionary(pair => pair.First.ToLowerInvariant(),
            pair => new { pair.Second.Mean, deviation = pair.Second.Count < 2 ? (double?)null : pair.Second.Deviation }),
    });

    /// <summary>The rows of measured runs of equal values; numbers rise, names are as the runs have them.</summary>
    public IEnumerable<RunGroup> Groups(IReadOnlyList<(string Name, string Key)> keys)
    {
        RunGroup[] groups =
        [
            .. from run in Runs
               where run.AnyResult is not null
               let attack = run.Robust is { } robust ? $"{robust.Attack}, {robust.Threat}" : "-"
               let values = keys.Select(key => Value(run, key.Key)).ToArray()
               group run by (Values: string.Join('\n', values), attack, run.AnyResult!.Images) into same
               select new RunGroup(same.Key.Values.Split('\n')[..keys.Count], [.. same], same.Key.attack),
        ];
        return Enumerable.Range(0, keys.Count).Reverse().Aggregate(groups.AsEnumerable(), (rows, column) =>
        {
            var order = Order([.. groups.Select(group => group.Values[column])]);
            return rows.OrderBy(group => order(group.Values[column])); // which keeps the order of equal ones
        });
    }

    private static Func<string, double> Order(List<string> values) =>
        values.All(value => value.Length == 0 || Numbers.TryReal(value, out _))
            ? value => Numbers.TryReal(value, out double number) ? number : double.NegativeInfinity
            : value => values.IndexOf(value);

    // Of a checkpoint from elsewhere the method is not known: its name stands for it.
    private static string Value(RunData run, string key) =>
        run.Checkpoint is not null && key == ConfigKeys.Of(c => c.Method.Name).Path ? run.Name : run.Setting(key);

    private static string Percent(double? share) => share is { } value ? Format.Percent(value) : "-";
}

/// <summary>Measured runs of equal settings.</summary>
/// <param name="Values">Of the settings that they share.</param>
/// <param name="Attack">What measured their robust accuracy.</param>
internal sealed record RunGroup(IReadOnlyList<string> Values, IReadOnlyList<RunData> Runs, string Attack)
{
    /// <summary>Clean, robust, Mean and NRR over the runs.</summary>
    public IReadOnlyList<Spread> Spreads =>
    [
        Of(run => run.Clean?.Value), Of(run => run.Robust?.Value), Of(run => Score(run, RobustnessScores.Mean)),
        Of(run => Score(run, RobustnessScores.Nrr)),
    ];

    /// <summary>A value over the runs that have it.</summary>
    public Spread Of(Func<RunData, double?> value) => Spread.Of([.. Runs.Select(value).OfType<double>()]);

    private static double? Score(RunData run, Func<double, double, double> score) =>
        run is { Clean: { } clean, Robust: { } robust } ? score(clean.Value, robust.Value) : null;
}
