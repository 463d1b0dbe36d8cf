namespace Rpat.Engine.Distributed;

/// <summary>
/// Processes that compute together, each with a rank from 0. All of them must call the same methods in the same order, as in MPI; one
/// thread at a time may use a group. Sums are added in rank order, so that they are the same in every process and in every run.
/// </summary>
public interface IProcessGroup : IDisposable
{
    /// <summary>This process's rank, from 0.</summary>
    int Rank { get; }

    /// <summary>The number of processes.</summary>
    int Size { get; }

    /// <summary>Replaces the values by their sum over all processes, added in rank order.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    void AllReduce(Span<float> values);

    /// <inheritdoc cref="AllReduce(Span{float})"/>
    void AllReduce(Span<double> values);

    /// <summary>Concatenates the values of all processes in rank order; a process may have none.</summary>
    /// <param name="all">Receives the values of all processes, in every process; as long as all of them together.</param>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    /// <exception cref="InvalidOperationException">The values do not fill <paramref name="all"/>: the ranks are out of sync.</exception>
    void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged;

    /// <summary>Gives every process the values of rank 0.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    void Broadcast<T>(Span<T> values) where T : unmanaged;

    /// <summary>Gives every process the bytes of rank 0; the other ranks do not need to know the length.</summary>
    /// <param name="bytes">Rank 0's bytes; ignored on other ranks.</param>
    /// <returns>Rank 0's bytes.</returns>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    byte[] BroadcastBytes(byte[] bytes);

    /// <summary>Waits until all processes have reached this call.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    void Barrier();

    /// <summary>
    /// Reports to all others that this process fails, and leaves: their next collective, or the one they wait in, throws.
    /// </summary>
    /// <param name="code">The exit code that the others should use.</param>
    void Fail(int code, string sentence);
}
