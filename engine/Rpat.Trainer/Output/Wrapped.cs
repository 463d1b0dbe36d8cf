using System.Text.RegularExpressions;

namespace Rpat.Trainer.Output;

/// <summary>
/// Lines broken between words where a terminal would break them within one. What is to be copied stays whole: a command, and what stands in
/// quotes.
/// </summary>
internal static partial class Wrapped
{
    private const int Narrowest = 20;

    /// <summary>A text whose lines are shorter than a terminal is wide.</summary>
    /// <param name="indent">Blanks before each further line of a line.</param>
    public static string Text(string text, int width, int indent = 2) => width is < Narrowest or int.MaxValue || text.Length < width ? text
        : string.Join('\n', text.Split('\n').Select(line => Line(line, width, indent)));

    private static string Line(string line, int width, int indent)
    {
        if (line.Length < width) return line;
        if (indent > width / 2) indent = 2;
        var wrapped = new StringBuilder();
        int column = 0;
        foreach (string word in Words(line))
        {
            bool breaks = column > 0 && column + 1 + word.Length >= width;
            if (breaks) wrapped.Append('\n').Append(' ', indent);
            else if (column > 0) wrapped.Append(' ');
            wrapped.Append(word);
            column = (breaks ? indent : column == 0 ? 0 : column + 1) + word.Length;
        }
        return wrapped.ToString();
    }

    private static IEnumerable<string> Words(string line) => Word().Matches(line).Select(match => match.Value);

    // Leading blanks belong to the first word, further blanks between words to the word before them.
    [GeneratedRegex(@"^ +\S+(?: +(?= ))?|[(\[]?'[^']*(?:(?<=\w)'(?=\w)[^']*)*'\S*|\brpat [a-z].*|\S+(?: +(?= ))?")]
    private static partial Regex Word();
}
