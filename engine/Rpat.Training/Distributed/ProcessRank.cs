namespace Rpat.Training.Distributed;

/// <summary>A process's place among those that train together.</summary>
/// <param name="Rank">This process's number, from 0.</param>
/// <param name="LocalRank">Its number among those of its machine: selects its GPU.</param>
/// <param name="LocalSize">The number of processes on its machine; they share its cores.</param>
/// <param name="Host">Where rank 0 waits for the others over TCP; null if the launcher does not say.</param>
internal sealed record ProcessRank(string Launcher, int Rank, int Size, int LocalRank, int LocalSize, string? Host, int Port)
{
    /// <summary>The MPI library that the launcher starts processes for; null if it does not.</summary>
    public MpiFamily? Mpi { get; init; }

    /// <summary>Whether MPI is used if its library is there.</summary>
    public bool PrefersMpi { get; init; }

    /// <summary>Whether all processes are on this machine.</summary>
    public bool IsLocal => LocalSize == Size;

    /// <summary>One line for the log: the launcher that was recognised and what follows from it.</summary>
    public string Description => FormattableString.Invariant(
        $"{Size} processes started by {Launcher}, rank {Rank} (number {LocalRank} of this machine's {LocalSize})");

    /// <summary>Where rank 0 waits for the others over TCP.</summary>
    /// <exception cref="UsageException">Nothing says it.</exception>
    public string MeetingHost => Host ?? (IsLocal ? "localhost" : throw new UsageException(
        $"{Launcher} has started {Size} processes on several machines, as far as can be told, but nothing says where rank 0 can be "
        + $"reached: set MASTER_ADDR to the name of its machine for all processes (and MASTER_PORT, if not {Port})."));
}
