namespace Rpat.Engine.Distributed;

/// <summary>Another rank has failed, exited or gone silent: no collective can complete.</summary>
/// <param name="rank">The rank of that process.</param>
/// <param name="code">The exit code that it reported; 0 if it ended without a report.</param>
/// <param name="sentence">What happened, in one sentence.</param>
/// <param name="cause">The connection's error, or null.</param>
public sealed class PeerLostException(int rank, int code, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    /// <summary>The rank of the lost process.</summary>
    public int Rank { get; } = rank;

    /// <summary>The exit code that it reported; 0 if it ended without a report.</summary>
    public int Code { get; } = code;
}
