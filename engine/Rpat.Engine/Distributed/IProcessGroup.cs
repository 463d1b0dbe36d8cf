namespace Rpat.Engine.Distributed;

/// <summary>
/// Processes that compute together, each with a rank from 0. All of them must call the same
/// methods in the same order, as in MPI; one thread
/// at a time may use a group. Sums are added in the order of the ranks, so that they are the same in every process and in every run.
/// </summary>
public interface IProcessGroup : IDisposable
{
    /// <summary>This process's number, from 0.</summary>
    int Rank { get; }

    /// <summary>The number of processes.</summary>
    int Size { get; }

    /// <summary>Replaces the values by their sum over all processes, added in the order of the ranks.</summary>
    /// <exception cref="PeerLostException">A process is gone.</exception>
    void AllReduce(Span<float> values);

    /// <inheritdoc cref="AllReduce(Span{float})"/>
    void AllReduce(Span<double> values);

    /// <summary>Puts the values of all processes one behind the other in the order of the ranks; a process may have none.</summary>
    /// <param name="all">Receives everybody's, in every process; as long as all of them together.</param>
    /// <exception cref="PeerLostException">A process is gone.</exception>
    /// <exception cref="InvalidOperationException">The values do not fill <paramref name="all"/>: the ranks are out of sync.</exception>
    void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged;

    /// <summary>Gives every process the values of rank 0.</summary>
    /// <exception cref="PeerLostException">A process is gone.</exception>
    void Broadcast<T>(Span<T> values) where T : unmanaged;

    /// <summary>Gives every process the bytes of rank 0, whose number the others need not know.</summary>
    /// <param name="bytes">What rank 0 has; ignored elsewhere.</param>
    /// <returns>What rank 0 has.</returns>
    /// <exception cref="PeerLostException">A process is gone.</exception>
    byte[] BroadcastBytes(byte[] bytes);

    /// <summary>Waits until all processes have come here.</summary>
    /// <exception cref="PeerLostException">A process is gone.</exception>
    void Barrier();

    /// <summary>Tells all others that this process fails, and leaves: their next common step, or the one they wait in, throws.</summary>
    /// <param name="code">An exit code for them.</param>
    void Fail(int code, string sentence);
}
