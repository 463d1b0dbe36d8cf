namespace Rpat.PtxMachine;

/// <summary>How a <see cref="Machine"/> runs kernels.</summary>
public sealed record MachineOptions
{
    /// <summary>Threads that run groups at the same time. Results and counts do not depend on it.</summary>
    public int MaxThreads { get; init; } = Environment.ProcessorCount;

    /// <summary>Instructions that one warp may execute before its loop counts as endless.</summary>
    public long InstructionBudget { get; init; } = 100_000_000;

    /// <summary>Whether bank conflicts and sectors are counted.</summary>
    public bool CountTraffic { get; init; } = true;

    /// <summary>Whether races between the groups of a launch are looked for in global memory.</summary>
    public bool FindGlobalRaces { get; init; } = true;
}

/// <summary>Groups of a launch, threads of a group, and the bytes of <c>__dyn_shared_alloca</c>.</summary>
public readonly record struct LaunchShape(int GridX, int GridY, int GridZ, int BlockX, int BlockY, int BlockZ, int DynamicSharedBytes)
{
    internal const int MostThreads = 1024;

    internal int Threads => BlockX * BlockY * BlockZ;

    internal long Groups => (long)GridX * GridY * GridZ;

    internal Index3 Thread(int number) => new(number % BlockX, number / BlockX % BlockY, number / BlockX / BlockY);

    internal Index3 Group(long number) => new((int)(number % GridX), (int)(number / GridX % GridY), (int)(number / GridX / GridY));

    internal void Check(string kernel)
    {
        if (GridX < 1 || GridY < 1 || GridZ < 1 || BlockX < 1 || BlockY < 1 || BlockZ < 1 || DynamicSharedBytes < 0)
            throw new ArgumentException($"The launch of {kernel} asks for {this}; give at least one group and one thread along each axis.");
        if (GridY > 65535 || GridZ > 65535)
            throw new ArgumentException($"The launch of {kernel} asks for {this}; a grid has at most 65535 groups along y and z.");
        if ((long)BlockX * BlockY * BlockZ > MostThreads || BlockZ > 64)
            throw new ArgumentException($"The launch of {kernel} asks for {this}; a group has at most {MostThreads} threads, 64 along z.");
    }
}
