using System.Buffers;

namespace Rpat.Trainer.Output;

/// <summary>
/// Text that is safe to print on a terminal. Names and messages come from files, and control characters in them would move the cursor,
/// change colours or reverse the order of letters; each is written as <c>\u001b</c>, as JSON does.
/// </summary>
internal static class Printable
{
    private static readonly SearchValues<char> _steering = SearchValues.Create(
        [.. Enumerable.Range(0, char.MaxValue + 1).Select(code => (char)code).Where(Steers)]);

    /// <summary>A text of several lines.</summary>
    public static string Text(string text) =>
        text.AsSpan().ContainsAny(_steering) ? Escaped(text, (c, next) => Steers(c) && !(c == '\r' && next == '\n')) : text;

    /// <summary>One line: ends of lines and tabs are written out as well.</summary>
    public static string Line(string text) =>
        Text(text.AsSpan().ContainsAny('\n', '\r', '\t') ? Escaped(text, (c, _) => c is '\n' or '\r' or '\t') : text);

    private static bool Steers(char c) =>
        (char.IsControl(c) && c is not ('\n' or '\t'))
        || c is '\u2028' or '\u2029' or '\uFFFE' or '\uFFFF' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    private static string Escaped(string text, Func<char, char, bool> isWrittenOut)
    {
        var escaped = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (isWrittenOut(text[i], i + 1 < text.Length ? text[i + 1] : '\0'))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            else escaped.Append(text[i]);
        }

        return escaped.ToString();
    }
}
