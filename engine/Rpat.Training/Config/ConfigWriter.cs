using System.Text.RegularExpressions;

namespace Rpat.Training.Config;

/// <summary>Writes a resolved configuration as YAML that reproduces it when it is read back.</summary>
internal static partial class ConfigWriter
{
    private const int CommentColumn = 36;

    /// <summary>
    /// Every key in the order of <see cref="ConfigKeys.All"/> except those without effect, nested by section, each with its origin as a
    /// comment.
    /// </summary>
    public static string Write(ResolvedConfig resolved)
    {
        var text = new StringBuilder();
        string[] open = [];
        foreach (var leaf in ConfigKeys.All.Where(leaf => !leaf.IsOptional || resolved.Values[leaf.Path].Text.Length > 0))
        {
            string[] parts = leaf.Path.Split('.');
            OpenSections(text, open, parts[..^1]);
            open = parts[..^1];
            var entry = resolved.Values[leaf.Path];
            string line = $"{Indent(open.Length)}{parts[^1]}: {Value(entry, leaf.IsList)}";
            text.Append(line.PadRight(CommentColumn)).Append("  # ").Append(Comment(entry.Origin)).Append('\n');
        }

        return text.ToString();
    }

    private static void OpenSections(StringBuilder text, string[] open, string[] wanted)
    {
        int same = open.Zip(wanted).TakeWhile(pair => pair.First == pair.Second).Count();
        for (int depth = same; depth < wanted.Length; depth++) text.Append(Indent(depth)).Append(wanted[depth]).Append(":\n");
    }

    private static string Indent(int depth) => new(' ', 2 * depth);

    private static string Value(ConfigValue entry, bool isList) => isList
        ? $"[{string.Join(", ", ConfigValue.Items(entry.Text).Select(Scalar))}]"
        : Scalar(entry.Text);

    private static string Scalar(string text) => PlainPattern().IsMatch(text) ? text : Quoted(text);

    // Double quotes are YAML's only style that can hold any character; its escapes for these are JSON's.
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            quoted.Append(c is '"' or '\\' ? $"\\{c}" : char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString());
        }

        return quoted.Append('"').ToString();
    }

    private static string Comment(string origin) => string.Concat(origin.Select(c => char.IsControl(c) ? ' ' : c));

    [GeneratedRegex(@"^(?!(?:null|Null|NULL)\z)[A-Za-z0-9/.][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*\z")]
    private static partial Regex PlainPattern();
}
