namespace Rpat.Distributed;

/// <summary>A group that says at once that a process is lost, also when no collective is waiting.</summary>
internal interface ILossSource
{
    /// <summary>Raised once, from any thread; at once for whoever subscribes later.</summary>
    event Action<PeerLostException> Lost;
}
