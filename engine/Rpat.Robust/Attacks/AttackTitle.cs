using System.Text.RegularExpressions;

namespace Rpat.Robust.Attacks;

/// <summary>How an attack is written for people, wherever its result is shown: <c>PGD-20</c>, <c>AA</c>, <c>APGD-CE</c>.</summary>
public static partial class AttackTitle
{
    private const string Transfer = "-transfer";

    /// <summary>The title of a name or label; one that this library does not know stays as it is.</summary>
    public static string Of(string name)
    {
        int end = name.AsSpan().IndexOfAny(' ', '(');
        if (end > 0) return $"{Of(name[..end])} {name[end..].TrimStart()}"; // with its settings
        if (name.EndsWith(Transfer, StringComparison.Ordinal)) return Of(name[..^Transfer.Length]) + Transfer;
        if (AttackCatalog.Catalog.Find(name)?.Make is not null || !AttackCatalog.Knows(name)) return name;
        return name switch
        {
            "clean" => "Clean",
            "square" => "Square",
            "deepfool" => "DeepFool",
            "aa-standard" => "AA",
            _ when name.StartsWith("aa-", StringComparison.Ordinal) => $"AA{name[2..]}",
            _ => Numbered().Replace(name.ToUpperInvariant(), "$1-$2"),
        };
    }

    [GeneratedRegex("^([A-Z]+)([0-9]+)$")]
    private static partial Regex Numbered();
}
