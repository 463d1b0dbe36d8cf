namespace Rpat.Engine.Distributed;

/// <summary>Another rank has failed, ended or fallen silent: no collective can complete.</summary>
/// <param name="rank">The rank of that process.</param>
/// <param name="code">The exit code that it gave for its failure; 0 when it ended without a word.</param>
/// <param name="sentence">What happened, in one sentence.</param>
/// <param name="cause">What the connection said, or null.</param>
public sealed class PeerLostException(int rank, int code, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    /// <summary>The rank of the lost process.</summary>
    public int Rank { get; } = rank;

    /// <summary>The exit code that it gave for its failure; 0 when it ended without a word.</summary>
    public int Code { get; } = code;
}
