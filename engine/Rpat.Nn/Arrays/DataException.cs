namespace Rpat.Nn.Arrays;

/// <summary>
/// A data file is missing, truncated, damaged or not of the expected kind. The message is one sentence that names the file, the position in
/// it, what was expected and found, and what to do; it is shown to users unchanged.
/// </summary>
public sealed class DataException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">The sentence shown to the user; control characters are escaped.</param>
    /// <param name="cause">The underlying error, if any.</param>
    public DataException(string message, Exception? cause = null)
        : base(CheckpointException.OneLine(message), cause)
    {
    }
}
