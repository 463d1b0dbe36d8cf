namespace Rpat.Distributed;

/// <summary>What the processes of a group must agree on before they start, and how long they wait for each other.</summary>
/// <param name="Program">The program's version: sums of two versions may round differently.</param>
/// <param name="Configuration">Anything else that must be the same in all processes, such as a hash of their settings; at most 4096
/// bytes.</param>
public sealed record ProcessGroupOptions(string Program, string Configuration)
{
    /// <summary>The join token, which is proved and never sent: a connection without it is closed. Empty for none.</summary>
    public string Token { get; init; } = "";

    /// <summary>Called with a message for each connection that is refused while rank 0 waits, once per address.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>How long the processes may take to find each other.</summary>
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a process may be silent before it counts as lost. A closed connection is noticed at once.</summary>
    public TimeSpan HeartbeatTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
