namespace Rpat.Robust.Evaluation;

/// <summary>
/// The leaderboard's file about a model (attacks.md 3.3): accuracies in percent with two decimals, as texts. Other
/// fields need human knowledge: they are empty, and no additional data and one forward pass are assumed.
/// </summary>
/// <param name="Dataset">Name of the data set, or empty if it has none.</param>
/// <param name="Eps">The radius as a text.</param>
/// <param name="AutoattackAcc">Accuracy under AutoAttack's standard version.</param>
/// <param name="Unreliable">Whether a check raised a flag.</param>
/// <param name="Footnote">Other important facts, or null.</param>
public sealed record RobustBenchInfo(
    string Name, string Dataset, string Architecture, string Eps, string CleanAcc, string AutoattackAcc, bool Unreliable, string? Footnote)
{
    private static readonly string[] _harmless = ["few-points", "black-box-wins"];

    /// <summary>From the column <c>aa</c> of a report; null when it is missing or not the standard version.</summary>
    /// <param name="dataset">Name of the data set.</param>
    /// <param name="eps">Number of the radius; may be omitted if there is only one.</param>
    /// <exception cref="ArgumentException">There are several radii, and none was chosen.</exception>
    public static RobustBenchInfo? Of(EvaluationReport report, EvaluationPlan plan, string name, string dataset, string architecture,
        int? eps = null)
    {
        if (eps is null && plan.Radii.Count > 1)
            throw new ArgumentException($"RobustBenchInfo: the file holds one radius, and there are {plan.Radii.Count}: choose one.");
        int at = eps ?? 0;
        var column = report.Columns.FirstOrDefault(c => c.Eps == at && c.Label == "aa-standard");
        return column is null ? null : new RobustBenchInfo(
            name, dataset, architecture, plan.Radii[at].Text, Percent(report.CleanCorrect, report.Images),
            Percent(column.Robust, report.Images),
            report.Warnings.Any(w => !_harmless.Contains(w.Flag)), FootnoteOf(report.Images, plan.First));
    }

    private static string? FootnoteOf(int images, int first) =>
        first > 0 ? FormattableString.Invariant($"Test images {first} to {first + images - 1} only, counted from 0.")
        : images < 10_000 ? FormattableString.Invariant($"First {images} test images only.")
        : null;

    /// <summary>The file's text, with the keys that the leaderboard expects.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new Dictionary<string, object?>
        {
            ["link"] = "",
            ["name"] = Name,
            ["authors"] = "",
            ["additional_data"] = false,
            ["number_forward_passes"] = 1,
            ["dataset"] = Dataset,
            ["venue"] = "",
            ["architecture"] = Architecture,
            ["eps"] = Eps,
            ["clean_acc"] = CleanAcc,
            ["reported"] = "",
            ["autoattack_acc"] = AutoattackAcc,
            ["unreliable"] = Unreliable,
            ["footnote"] = Footnote,
        },
        new JsonSerializerOptions { WriteIndented = true }) + "\n";

    private static string Percent(int count, int all) => (100.0 * count / all).ToString("F2", CultureInfo.InvariantCulture);
}
