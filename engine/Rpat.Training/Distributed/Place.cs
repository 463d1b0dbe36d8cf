namespace Rpat.Training.Distributed;

/// <summary>A process's place among those that train together.</summary>
/// <param name="Launcher">Who started them, for people.</param>
/// <param name="Rank">This process's number, from 0.</param>
/// <param name="Size">How many there are.</param>
/// <param name="LocalRank">Its number among those of its machine: which of the machine's GPUs it takes.</param>
/// <param name="LocalSize">How many its machine has; they share its cores.</param>
/// <param name="Host">Where rank 0 waits for the others.</param>
/// <param name="Port">At which port.</param>
internal sealed record Place(string Launcher, int Rank, int Size, int LocalRank, int LocalSize, string Host, int Port)
{
    /// <summary>Whether all processes are on this machine.</summary>
    public bool IsLocal => LocalSize == Size;

    /// <summary>One line for the log: the launcher that was recognised and what follows from it.</summary>
    public string Description => FormattableString.Invariant(
        $"{Size} processes started by {Launcher}, rank {Rank} (number {LocalRank} of this machine's {LocalSize}), meeting at {Host}:{Port}");
}
