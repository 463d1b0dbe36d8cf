using Rpat.Trainer.View;

namespace Rpat.Trainer.Reproduce;

/// <summary>One run of a reproduction: the commands that train and measure it, and what has been done already.</summary>
/// <param name="Method">The method's name in the table.</param>
internal sealed record ReproduceJob(ReproducePlan Plan, string Method, string Recipe, long Seed)
{
    /// <summary>Its name in progress and folders: a recipe that others need is trained once.</summary>
    public string Name => FormattableString.Invariant($"{Recipe}-s{Seed}");

    /// <summary>The runs that must exist first, by the key that refers to their folder.</summary>
    public IReadOnlyList<(string Key, ReproduceJob Job)> Needs =>
        [.. RecipeLibrary.Needs(Recipe).Select(need => (need.Key, this with { Method = need.Value, Recipe = need.Value }))];

    /// <summary>Holds the run folder and the evaluation.</summary>
    public string Folder => Path.Combine(Plan.Out, Name);

    /// <summary>The evaluation beside Clean.</summary>
    public ReproduceMeasurement Measurement => new(this, Plan.Attack, Plan.Images);

    /// <summary>What the run is trained with.</summary>
    public TrainerConfig Config => Resolved.Config;

    /// <summary>The same with the origin of each value.</summary>
    public ResolvedConfig Resolved => ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(),
        [$"{ConfigKeys.Of(c => c.Recipe.Name).Path}={Recipe}", .. Plan.Sets], []));

    /// <summary>The finished run folder, or null.</summary>
    public string? Run => !Directory.Exists(Folder) ? null : Directory.GetDirectories(Folder)
        .Where(folder => new DirectoryInfo(folder).LinkTarget is null && IsFinished(folder))
        .Order(StringComparer.Ordinal).LastOrDefault();

    /// <summary>The measured counts, or null.</summary>
    public ReproduceScore? Score => Measurement.IsDone ? ReproduceScore.Read(Measurement.Result) : null;

    /// <summary>The command that trains it; it resumes where an earlier one was stopped.</summary>
    public string[] TrainCommand() =>
    [
        "train", "--recipe", Recipe, "--seed", Text(Seed), "--out", Folder, "--name", Recipe, "--resume", "auto", "--progress", "plain",
        "--device", Plan.Device, "--threads", Text(Plan.Threads),
        .. Plan.DataDir is { } dir ? new[] { "--data-dir", dir } : [],
        .. Plan.Sets.SelectMany(set => new[] { "--set", set }),
        .. Needs.SelectMany(need => new[] { "--set", $"{need.Key}={need.Job.Run}" }),
    ];

    /// <summary>The options of every command on the run's images.</summary>
    public string[] Where() =>
    [
        "--data", Config.Data.Name, "--device", Plan.Device, "--threads", Text(Plan.Threads),
        .. Plan.DataDir is { } dir ? new[] { "--data-dir", dir } : [],
    ];

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    // One without a record was killed while it was made.
    private static bool IsFinished(string folder) => RunRecord.Read(folder) is { Status: RunStatus.Finished };
}

/// <summary>One evaluation of a job's network.</summary>
/// <param name="Images">How many held-out images, 0 for all.</param>
/// <param name="Prefix">What its folder's name begins with.</param>
internal sealed record ReproduceMeasurement(ReproduceJob Job, string Attack, int Images, string Prefix = "")
{
    /// <summary>The evaluation's folder.</summary>
    public string Folder => Path.Combine(Job.Folder, FormattableString.Invariant($"{Prefix}{Attack}-n{Images}"));

    /// <summary>Its result, a file; it exists only when the evaluation is finished.</summary>
    public string Result => Folder + ".json";

    /// <summary>Whether it is finished.</summary>
    public bool IsDone => File.Exists(Result);

    /// <summary>The command that measures a network; it resumes where an earlier one was stopped.</summary>
    public string[] Command(string network)
    {
        var config = Job.Config;
        return
        [
            "eval", network, "--attacks", $"clean,{Attack}", "--norm", config.Attack.Norm.Name, "--eps", Format.Pixels(config.Attack.Eps),
            "--n", Images.ToString(CultureInfo.InvariantCulture), "--out", Folder, "--json", Result, "--resume", .. Job.Where(),
        ];
    }
}
