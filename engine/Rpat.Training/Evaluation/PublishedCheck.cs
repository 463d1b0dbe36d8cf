namespace Rpat.Training.Evaluation;

/// <summary>A published accuracy next to a measured one, in percent.</summary>
/// <param name="Column"><c>Clean</c> or <c>AA</c>.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
internal sealed record PublishedColumn(string Column, double Published, double Measured, double Low, double High)
{
    /// <summary>
    /// Where the measurement is: <c>within</c> if its interval contains the published value, otherwise <c>below</c> or <c>above</c>.
    /// </summary>
    public string Verdict => Published < Low ? "above" : Published > High ? "below" : "within";
}

/// <summary>The published result of a run's recipe, next to the result of an evaluation with the same data, norm and radius.</summary>
/// <param name="Columns">Clean, and AA if it was measured.</param>
/// <param name="Differing">Keys in which the run differs from the recipe and that affect its result.</param>
internal sealed record PublishedCheck(string Recipe, string Row, IReadOnlyList<PublishedColumn> Columns, IReadOnlyList<string> Differing)
{
    private const int MostKeys = 4;

    /// <summary>The comparison, or null if nothing is published for the run, or only for other data or another threat model.</summary>
    /// <param name="checkpoint">What was evaluated; only a run folder has a recipe.</param>
    public static PublishedCheck? Of(string checkpoint, EvalOptions options, EvaluationReport report)
    {
        if (RunOf(checkpoint) is not { } run || run.Config.Recipe.Name is not { Length: > 0 } name) return null;
        if (!RecipeLibrary.Names.Contains(name) || RecipeLibrary.Published(name) is not { } published) return null;
        var recipe = RecipeLibrary.Resolve(name, checkpoint);
        return recipe.Config.Data.Name == options.Data
            ? new PublishedCheck(name, published.Row, [.. ColumnsOf(published, recipe.Config.Attack, options, report)],
            ResumeRules.Differing(recipe, run))
            : null;
    }

    /// <summary>Lines for people.</summary>
    public IEnumerable<string> Lines()
    {
        string but = Differing.Count == 0 ? ""
            : $", with other settings here ({string.Join(", ", Differing.Take(MostKeys))}{(Differing.Count > MostKeys ? ", …" : "")})";
        yield return $"  published for {Recipe}: {Row}{but}";
        foreach (var c in Columns)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"    {c.Column,-6}{c.Published,6:F2} published, {c.Measured:F2} here ({c.Low:F2} to {c.High:F2}): {c.Verdict}");
    }

    private static IEnumerable<PublishedColumn> ColumnsOf(PublishedResult published, AttackSection recipe, EvalOptions options,
        EvaluationReport report)
    {
        if (double.IsFinite(published.Clean)) yield return Column("Clean", published.Clean, report.CleanCorrect, report.Images);
        if (!double.IsFinite(published.Aa) || recipe.Norm != options.Norm) yield break;
        foreach (var column in report.Columns.Where(c => c.Suite == "aa" && Math.Abs(options.Radii[c.Eps].Value - recipe.Eps) < 1e-6))
            yield return Column("AA", published.Aa, column.Robust, report.Images);
    }

    private static PublishedColumn Column(string name, double published, int count, int images)
    {
        var interval = WilsonInterval.Of(count, images);
        return new PublishedColumn(name, published, 100.0 * count / images, 100 * interval.Low, 100 * interval.High);
    }

    private static ResolvedConfig? RunOf(string checkpoint)
    {
        string run = RunFinder.RunOf(checkpoint) ?? checkpoint, config = Path.Combine(run, RunFolder.ConfigName);
        // What a plugin's method does is published nowhere, so that the result needs no comparison if the plugin was not given.
        return File.Exists(config) && RunPlugins.Missing(run) is null
            ? ConfigResolver.Resolve([Layers.Defaults(), Layers.File(config)]) : null;
    }
}
