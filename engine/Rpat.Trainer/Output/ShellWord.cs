namespace Rpat.Trainer.Output;

/// <summary>Command lines that can be pasted into a POSIX shell.</summary>
internal static class ShellWord
{
    private const string Plain = "%+,-./:=@_";

    /// <summary>A word unchanged if the shell does not interpret it, otherwise in single quotes.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || Plain.Contains(c)) ? word : $"'{word.Replace("'", "'\\''")}'";

    /// <summary>A whole command line.</summary>
    public static string Line(IEnumerable<string?> words) => string.Join(' ', words.Select(word => Quote(word ?? "")));
}
