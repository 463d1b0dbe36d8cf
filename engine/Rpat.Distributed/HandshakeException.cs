namespace Rpat.Distributed;

/// <summary>Processes that cannot form a group: one is missing, or they were not started alike.</summary>
/// <param name="message">What is wrong and what to do, in one sentence.</param>
/// <param name="cause">The connection's error, or null.</param>
public sealed class HandshakeException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Whether every rank finds the same, so that one of them says it for all.</summary>
    public bool IsCommon { get; init; }
}
