namespace Rpat.Nn.Arrays;

/// <summary>
/// A checkpoint file is missing, truncated, damaged, or does not fit the model it is loaded into. The message is one sentence that names
/// the file, the tensor or offset, what was expected and found, and what to do; it is shown to users unchanged.
/// </summary>
public sealed class CheckpointException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">The sentence shown to the user; control characters, which names in files may contain, are escaped.</param>
    /// <param name="cause">The underlying error, if any.</param>
    public CheckpointException(string message, Exception? cause = null)
        : base(OneLine(message), cause)
    {
    }

    internal static string OneLine(string message) => !message.Any(char.IsControl) ? message
        : string.Concat(message.Select(c => c is '\r' or '\n' ? " "
        : char.IsControl(c) ? FormattableString.Invariant($"\\u{(int)c:x4}") : $"{c}"));
}
