namespace Rpat.Trainer.Reproduce;

/// <summary>The options of <c>rpat reproduce</c>.</summary>
/// <param name="Scale"><c>quick</c> or <c>paper</c>.</param>
/// <param name="Recipes">The recipes with the method that each represents, in the order of the table.</param>
/// <param name="Attack">The column next to Clean, <c>aa</c> for the paper's.</param>
/// <param name="Images">How many held-out images are attacked, 0 for all.</param>
/// <param name="Sets">Values that every run gets in addition to its recipe's, as KEY=VALUE.</param>
/// <param name="DataDir">Where data sets are, or null for the usual places.</param>
/// <param name="Threads">Threads to compute with, 0 for one per core.</param>
internal sealed record ReproducePlan(
    string Scale, IReadOnlyList<(string Method, string Recipe)> Recipes, IReadOnlyList<long> Seeds, string Out, string Attack, int Images,
    IReadOnlyList<string> Sets, string? DataDir, string Device, int Threads)
{
    // The paper's order: the compared methods, their baselines, then the published methods by age.
    private static readonly string[] _order =
    [
        "clean", "noise", "pgd-at", "pgd-at+rpat", "trades", "trades+rpat", "mart", "mart+rpat", "consistency-at", "consistency-at+rpat",
        "wa", "mma", "awp", "trades-awp", "gairat", "kd-swa", "ewat", "mail-at", "mail-trades", "mail-mart", "te", "sovr", "rebat", "adr",
        "cure", "rpat++",
        "rpat++-awp", "rebat-cutmix", "rpat++-cutmix", "gkl", "gkl+rpat", "adaad", "igdm", "raat", "raat+rpat",
    ];

    /// <summary>All runs, seed by seed, so that a table of one seed is complete before the next begins.</summary>
    public IReadOnlyList<ReproduceJob> Jobs =>
        [.. from seed in Seeds from recipe in Recipes select new ReproduceJob(this, recipe.Method, recipe.Recipe, seed)];

    /// <summary>The quick recipes of methods: <c>fashion-METHOD-quick</c>.</summary>
    /// <exception cref="UsageException">A method has no such recipe.</exception>
    public static IReadOnlyList<(string Method, string Recipe)> Quick(string methods) => Choose(methods, QuickMethods, "quick");

    /// <summary>The published recipes of methods on a data set, network and norm: <c>DATA-NET-METHOD-NORM</c>.</summary>
    /// <exception cref="UsageException">A method has no such recipe.</exception>
    public static IReadOnlyList<(string Method, string Recipe)> Paper(string methods, string data, string net, string norm)
    {
        string own = new KnownNames("networks", () => PublishedResult.All.Select(row => row.Net).Distinct()).Canonical(net);
        string prefix = $"{DataSets.Names.Canonical(data)}-{own}-", suffix = $"-{CatalogNames.NormOf(norm).Name}";
        var known = RecipeLibrary.Names
            .Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && n.EndsWith(suffix, StringComparison.Ordinal)
            && n.Length > prefix.Length + suffix.Length)
            .Select(n => (Method: n[prefix.Length..^suffix.Length], Recipe: n)).ToList();
        if (known.Count == 0) throw new UsageException(
            $"no recipe begins with '{prefix}' and ends in '{suffix}': 'rpat recipes' lists what there is for --data, --net and --norm.");
        return Choose(methods, known, "paper");
    }

    private static List<(string Method, string Recipe)> QuickMethods =>
    [
        .. from name in RecipeLibrary.Names
           where RecipeLibrary.IsQuick(name)
           select (name == "fashion-quick" ? "pgd-at+rpat" : name["fashion-".Length..^"-quick".Length], name),
    ];

    private static List<(string Method, string Recipe)> Choose(string methods, IReadOnlyList<(string Method, string Recipe)> known,
        string scale)
    {
        var names = new KnownNames("methods", () => known.Select(k => k.Method));
        string[] asked = methods == "all" ? [.. names.All()]
            : [.. ConfigValue.Items(methods).Select(method => names.Match(method) ?? throw new UsageException(
                $"--methods has '{method}', which has no recipe at --scale {scale}: {names.Hint(method)}")).Distinct()];
        if (asked.Length == 0) throw new UsageException("--methods names nothing: give 'all', or for instance pgd-at,trades.");
        return [.. known.Where(k => asked.Contains(k.Method)).OrderBy(k => Place(k.Method)).ThenBy(k => k.Method, StringComparer.Ordinal)];
    }

    private static int Place(string method) => Array.IndexOf(_order, method) is >= 0 and var place ? place : _order.Length;
}
