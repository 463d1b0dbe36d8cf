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

    /// <summary>The evaluation's result; it exists only when finished.</summary>
    public string Result => Path.Combine(Folder, EvaluationName + ".json");

    private string EvaluationName => FormattableString.Invariant($"{Plan.Attack}-n{Plan.Images}");

    /// <summary>The finished run folder, or null.</summary>
    public string? Run => !Directory.Exists(Folder) ? null : Directory.GetDirectories(Folder)
        .Where(folder => new DirectoryInfo(folder).LinkTarget is null && IsFinished(folder))
        .Order(StringComparer.Ordinal).LastOrDefault();

    /// <summary>The measured counts, or null.</summary>
    public ReproduceScore? Score => File.Exists(Result) ? ReproduceScore.Read(Result) : null;

    /// <summary>The command that trains it; it resumes where an earlier one was stopped.</summary>
    public string[] TrainCommand() =>
    [
        "train", "--recipe", Recipe, "--seed", Text(Seed), "--out", Folder, "--name", Recipe, "--resume", "auto", "--progress", "plain",
        "--device", Plan.Device, "--threads", Text(Plan.Threads),
        .. Plan.DataDir is { } dir ? new[] { "--data-dir", dir } : [],
        .. Plan.Sets.SelectMany(set => new[] { "--set", set }),
        .. Needs.SelectMany(need => new[] { "--set", $"{need.Key}={need.Job.Run}" }),
    ];

    /// <summary>The command that measures the trained network; it resumes in the same way.</summary>
    public string[] EvalCommand(string run)
    {
        var config = RecipeLibrary.Resolve(Recipe, "reproduce").Config;
        return
        [
            "eval", run, "--data", config.Data.Name, "--attacks", $"clean,{Plan.Attack}", "--norm", config.Attack.Norm.Name,
            "--eps", Format.Pixels(config.Attack.Eps), "--n", Text(Plan.Images), "--out", Path.Combine(Folder, EvaluationName), "--json",
            Result, "--resume",
            "--device", Plan.Device, "--threads", Text(Plan.Threads),
            .. Plan.DataDir is { } dir ? new[] { "--data-dir", dir } : [],
        ];
    }

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    // One without a record was killed while it was made.
    private static bool IsFinished(string folder) => RunRecord.Read(folder) is { Status: RunStatus.Finished };
}
