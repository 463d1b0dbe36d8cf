namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>
/// Marks a member of the API that waits for other threads. Translated kernels call <see cref="Begin"/> with the member's arguments;
/// where that returns true, the thread sleeps until the operation is done. <see cref="End"/> then returns the member's result.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CollectiveAttribute(Type type, string begin, string? end = null) : Attribute
{
    public Type Type { get; } = type;

    public string Begin { get; } = begin;

    public string? End { get; } = end;
}

/// <summary>An operation that some threads do together.</summary>
internal abstract class Collective(string name, bool wholeGroup)
{
    public string Name { get; } = name;

    /// <summary>Whether all threads of the group take part, else those of a warp.</summary>
    public bool WholeGroup { get; } = wholeGroup;

    /// <summary>Whether what threads wrote before is seen by the others after it; so it is for barriers, but not for exchanges.</summary>
    public virtual bool OrdersMemory => WholeGroup;

    /// <summary>All threads concerned have arrived: compute their results.</summary>
    public abstract void Resolve(ReadOnlySpan<Lane> lanes);

    public override string ToString() => Name;
}
