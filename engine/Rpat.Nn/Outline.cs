namespace Rpat.Nn;

/// <summary>Numbers, pairs and calls as Python prints them.</summary>
internal static class Python
{
    /// <summary>A call with arguments; an argument is a value, or a name with a value.</summary>
    public static string Call(string name, params object?[] arguments) => $"{name}({string.Join(", ", arguments.Select(Argument))})";

    private static string Argument(object? argument) => argument switch
    {
        (string name, var value) => $"{name}={Argument(value)}",
        (int a, int b) => $"({a}, {b})",
        bool flag => flag ? "True" : "False",
        float number => Number(number),
        double number => Number(number),
        _ => $"{argument}",
    };

    private static string Number(double number)
    {
        string text = ((float)number).ToString("R", CultureInfo.InvariantCulture);
        return Math.Abs(number) is > 0 and < 1e-4 ? ((float)number).ToString("0.######e-00", CultureInfo.InvariantCulture) : text;
    }
}

/// <summary>The tree of a network's layers.</summary>
internal sealed class Outline
{
    private readonly List<(string Path, string Text)> _layers = [];

    /// <summary>Adds a layer.</summary>
    /// <param name="path">Its name, parts divided by dots.</param>
    /// <param name="text">A call for a layer, a name for a container.</param>
    public void Add(string path, string text) => _layers.Add((path, text));

    /// <summary>One line per layer, containers around what they contain.</summary>
    public string Print(string name)
    {
        var lines = new StringBuilder().Append(name).Append('(');
        Print(lines, "", 1);
        return lines.Append(lines[^1] == '(' ? ")" : "\n)").ToString();
    }

    private void Print(StringBuilder lines, string prefix, int depth)
    {
        var children = _layers.Where(layer => layer.Path.StartsWith(prefix, StringComparison.Ordinal) && layer.Path.Length > prefix.Length)
            .Select(layer => layer.Path[prefix.Length..].Split('.')[0]).Distinct();
        foreach (string child in children)
        {
            string path = prefix + child, text = _layers.FirstOrDefault(layer => layer.Path == path).Text ?? "Module";
            string indent = new(' ', 2 * depth);
            lines.Append('\n').Append(indent).Append($"({child}): {text}");
            if (text.EndsWith(')')) continue;
            lines.Append('(');
            Print(lines, path + ".", depth + 1);
            lines.Append('\n').Append(indent).Append(')');
        }
    }
}
