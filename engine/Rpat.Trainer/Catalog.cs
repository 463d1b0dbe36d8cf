using Rpat.Models;

namespace Rpat.Trainer;

/// <summary>One name that a configuration may hold, with a line about it.</summary>
internal sealed record CatalogItem(string Name, string About);

/// <summary>The names that configurations may hold, data sets aside. A name stands here only when the trainer can do it.</summary>
internal static class Catalog
{
    /// <summary>Networks for <c>model.name</c>; wide ResNets of other sizes are known too.</summary>
    public static IReadOnlyList<CatalogItem> Models { get; } = [.. ModelCatalog.All.Select(family => new CatalogItem(family.Name, family.About))];

    /// <summary>Attacks for <c>eval.attacks</c>; N stands for any number of steps.</summary>
    public static IReadOnlyList<CatalogItem> Attacks { get; } =
    [
        new("clean", "no attack"),
        new("pgd10", "PGD of 10 steps, and likewise pgdN for any N"),
        new("pgd20", "PGD of 20 steps"),
        new("pgd100", "PGD of 100 steps"),
    ];
}
