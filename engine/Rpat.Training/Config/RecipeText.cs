namespace Rpat.Training.Config;

/// <summary>Recipes for people: the table of all, one with the source of each value, and the difference of two.</summary>
internal static class RecipeText
{
    private const int ValueColumn = 34;

    /// <summary>The headings of <see cref="Rows"/>, the last three of numbers.</summary>
    public static IReadOnlyList<string> Head { get; } = ["recipe", "method", "net", "norm", "epochs", "Clean", "AA"];

    /// <summary>One row per recipe: what it trains, and its published accuracies.</summary>
    public static IEnumerable<string[]> Rows(IEnumerable<string> names) =>
        from name in names
        let config = RecipeLibrary.Resolve(name, "recipes").Config
        let published = RecipeLibrary.Published(name)
        let weights = config.Method.Awp.Gamma > 0 ? ", AWP" : ""
        select (string[])[name, config.Method.Name + weights, config.Model.Name, config.Attack.Norm.Name,
            config.Train.Epochs.ToString(CultureInfo.InvariantCulture), Percent(published?.Clean), Percent(published?.Aa)];

    /// <summary>Every value that the recipe sets, with its source, and what was published.</summary>
    public static void Show(string name, TextWriter output)
    {
        name = RecipeLibrary.Find(name, "recipes show").Name;
        var resolved = RecipeLibrary.Resolve(name, "recipes show");
        output.WriteLine($"# {RecipeLibrary.About(name)}");
        foreach (var leaf in ConfigKeys.All)
        {
            var entry = resolved.Values[leaf.Path];
            if (entry.Origin == "default" || leaf.Path.StartsWith("recipe.", StringComparison.Ordinal)) continue;
            output.WriteLine($"{$"{leaf.Path}: {Value(entry, leaf)}".PadRight(ValueColumn)}  # {RecipeLibrary.SourceOf(entry)}");
        }
        foreach (var (key, recipe) in RecipeLibrary.Needs(name)) output.WriteLine(
            $"# needs --set {key}=RUN of {recipe}; 'rpat reproduce' trains it first");
        if (RecipeLibrary.Published(name) is not { } p) return;
        output.WriteLine(
            $"# published, {p.Row}: Clean {Percent(p.Clean)}  AA {Percent(p.Aa)}  Mean {Percent(p.Mean)}  NRR {Percent(p.Nrr)}".TrimEnd());
    }

    /// <summary>The recipe's parts, and the values that it sets itself.</summary>
    public static void Row(string name, TextWriter output)
    {
        var recipe = RecipeLibrary.Find(name, "recipes show");
        output.WriteLine($"# {recipe.About}");
        output.WriteLine($"# put together from {string.Join(", ", recipe.Blocks)}; later parts win");
        foreach (var entry in recipe.Values.Where(entry => !entry.Path.StartsWith("recipe.", StringComparison.Ordinal)))
            output.WriteLine($"{$"{entry.Path}: {entry.Text}".PadRight(ValueColumn)}  # {RecipeLibrary.SourceOf(entry)}");
    }

    /// <summary>The keys in which two recipes differ.</summary>
    public static void Diff(string a, string b, TextWriter output)
    {
        var (left, right) = (RecipeLibrary.Resolve(a, "recipes diff").Values, RecipeLibrary.Resolve(b, "recipes diff").Values);
        var rows = (from leaf in ConfigKeys.All
                    where !leaf.Path.StartsWith("recipe.", StringComparison.Ordinal) && left[leaf.Path].Text != right[leaf.Path].Text
                    select (Key: leaf.Path, A: Value(left[leaf.Path], leaf), B: Value(right[leaf.Path], leaf))).ToList();
        if (rows.Count == 0)
        {
            output.WriteLine($"{a} and {b} have the same values.");
            return;
        }
        int key = rows.Max(r => r.Key.Length), first = Math.Max(a.Length, rows.Max(r => r.A.Length));
        output.WriteLine($"{"".PadRight(key)}  {a.PadRight(first)}  {b}");
        foreach (var row in rows) output.WriteLine($"{row.Key.PadRight(key)}  {row.A.PadRight(first)}  {row.B}");
    }

    private static string Value(ConfigValue entry, ConfigKey leaf) =>
        leaf.IsList ? $"[{entry.Text}]" : entry.Text.Length == 0 ? "\"\"" : entry.Text;

    private static string Percent(double? value) =>
        value is { } v && double.IsFinite(v) ? v.ToString("0.00#", CultureInfo.InvariantCulture) : "";
}
