namespace Rpat.Engine.Arrays;

/// <summary>
/// A data file is missing, cut short, damaged or not of the expected kind. The message is one sentence that names the file,
/// the place in it, what was expected and found, and what to do; it is shown to users as it is.
/// </summary>
public sealed class DataException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">The one sentence shown to the user; control characters are written out.</param>
    /// <param name="cause">The error underneath, when there is one.</param>
    public DataException(string message, Exception? cause = null)
        : base(CheckpointException.OneLine(message), cause)
    {
    }
}
