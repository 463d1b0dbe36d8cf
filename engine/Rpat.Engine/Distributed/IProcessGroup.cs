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

    /// <summary>Starts <see cref="AllReduce(Span{float})"/>; the values must not be used before <see cref="Wait"/> returns.</summary>
    void StartAllReduce(Memory<float> values) => AllReduce(values.Span);

    /// <summary>Waits for all sums that were started.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    void Wait()
    {
    }

    /// <summary>Concatenates the values of all processes in rank order; a process may have none.</summary>
    /// <param name="all">Receives the values of all processes, in every process; as long as all of them together.</param>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    /// <exception cref="InvalidOperationException">The values do not fill <paramref name="all"/>: the ranks are out of sync.</exception>
    void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged;

    /// <summary>Gives every process the values of rank 0.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    void Broadcast<T>(Span<T> values) where T : unmanaged;

    /// <summary>
    /// Reports to all others that this process fails, and leaves: their next collective, or the one they wait in, throws.
    /// </summary>
    /// <param name="code">The exit code that the others should use.</param>
    void Fail(int code, string sentence);
}

/// <summary>A process group that adds device memory without a copy on the host.</summary>
public interface IDeviceProcessGroup : IProcessGroup
{
    /// <summary>
    /// Starts a sum of device memory: the values that kernels queued so far leave; kernels queued after <see cref="IProcessGroup.Wait"/>
    /// read the sum.
    /// </summary>
    void StartAllReduce(DeviceBuffer values);
}
