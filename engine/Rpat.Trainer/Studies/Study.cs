using YamlDotNet.RepresentationModel;

namespace Rpat.Trainer.Studies;

/// <summary>What a study compares: one setting of many, trained with several seeds.</summary>
/// <param name="Against">The variant that it is compared with; empty for a baseline.</param>
/// <param name="Seeds">It is trained with the seeds 1 to this.</param>
/// <param name="Sets">Its values over the recipe's, as KEY=VALUE; the study's own come first.</param>
internal sealed record StudyVariant(string Name, string Recipe, string Against, int Seeds, IReadOnlyList<string> Sets);

/// <summary>An attack on the first held-out images.</summary>
internal sealed record StudyAttack(string Name, int Images);

/// <summary>
/// A comparison of training methods that is planned before it is run: variants and seeds, and how each network is measured. Its rows are
/// trained one by one, over days if need be, and kept as data.
/// </summary>
/// <param name="Strong">The attack that the study is about.</param>
/// <param name="Monitor">A cheaper one, on more images, of the last network and of the one that validation chose.</param>
/// <param name="Perception">The attack along which perception is measured.</param>
internal sealed record Study(
    string Name, string About, StudyAttack Strong, StudyAttack Monitor, StudyAttack Perception, IReadOnlyList<StudyVariant> Variants)
{
    private const string File = "studies";
    private const int MostBytes = 1 << 20;

    /// <summary>The studies inside the program.</summary>
    public static KnownNames Names { get; } = new("studies", () => RecipeBlocks.Read(File).Children.Keys.Select(key => $"{key}"));

    /// <summary>All rows, one seed of every variant after another, so that what is done at any time is balanced.</summary>
    public IReadOnlyList<StudyRow> Rows =>
    [
        .. (from seed in Enumerable.Range(1, Variants.Max(variant => variant.Seeds))
            from variant in Variants
            where seed <= variant.Seeds
            select (variant, seed)).Select((row, i) => new StudyRow(i + 1, this, row.variant, row.seed)),
    ];

    /// <summary>A study by its name, or the only one of a YAML file.</summary>
    /// <exception cref="UsageException">There is none, or the file is not of this form.</exception>
    public static Study Find(string name)
    {
        bool isFile = name.EndsWith(".yaml", StringComparison.Ordinal);
        string? known = isFile ? null : Names.Match(name);
        if (!isFile && known is null) throw new UsageException($"--study is '{name}': {Names.Hint(name)}");
        try
        {
            var file = isFile ? Parse(RegularFile.ReadText(name, MostBytes)) : RecipeBlocks.Read(File);
            return Of(known ?? $"{file.Children.Single().Key}", (YamlMappingNode)file[known ?? $"{file.Children.Single().Key}"]);
        }
        catch (Exception error) when (isFile && error is IOException or InvalidOperationException or InvalidCastException
            or KeyNotFoundException or FormatException or OverflowException or YamlDotNet.Core.YamlException)
        {
            throw new UsageException($"'{name}' is no study ({error.Message.TrimEnd('.')}): see studies.yaml of the sources.", error);
        }
    }

    private static YamlMappingNode Parse(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private static Study Of(string name, YamlMappingNode node)
    {
        var shared = Sets(node);
        var variants = ((YamlSequenceNode)node["variants"]).Children.Cast<YamlMappingNode>().Select(v => new StudyVariant(
            $"{v["name"]}", $"{v["recipe"]}", RecipeBlocks.TextOf(v, "against"), Whole(v["seeds"]), [.. shared, .. Sets(v)])).ToList();
        if (variants.All(variant => variant.Seeds < 1)) throw new FormatException("it has no variant with a seed");
        if (variants.Find(variant => !IsName(variant.Name)) is { } odd)
            throw new FormatException($"the name '{odd.Name}' of a variant has more than letters, digits and '.+-_'");
        if (variants.GroupBy(variant => variant.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new FormatException($"two variants are called '{twice.Key}'");
        if (variants.Find(one => one.Against.Length > 0 && variants.TrueForAll(other => other.Name != one.Against)) is { } alone)
            throw new FormatException($"'{alone.Name}' is compared with '{alone.Against}', which is no variant");
        return new(name, RecipeBlocks.TextOf(node, "about"), Attack(node, "strong"), Attack(node, "monitor"), Attack(node, "perception"),
            variants);
    }

    // It is the name of a folder and a cell of the table.
    private static bool IsName(string text) => text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || ".+-_".Contains(c))
        && text.Any(char.IsAsciiLetterOrDigit);

    private static StudyAttack Attack(YamlMappingNode node, string key)
    {
        string name = $"{RecipeBlocks.MapOf(node, key)["attack"]}";
        return IsName(name) ? new(name, Whole(RecipeBlocks.MapOf(node, key)["images"])) : throw new FormatException($"{key} is '{name}'");
    }

    private static List<string> Sets(YamlMappingNode node) =>
        [.. RecipeBlocks.Entries(RecipeBlocks.MapOf(node, "values"), "study", null).Select(entry => $"{entry.Path}={entry.Text}")];

    private static int Whole(YamlNode node) => int.Parse($"{node}", NumberStyles.None, CultureInfo.InvariantCulture);
}
