namespace Rpat.Distributed.Mpi;

/// <summary>What the launcher says about this process, which the library must agree with.</summary>
/// <param name="Launcher">The launcher, for people.</param>
/// <param name="IsLocal">Whether all processes are on one machine: heartbeats then stay on loopback.</param>
public sealed record MpiPlace(string Launcher, int Rank, int Size, bool IsLocal);
