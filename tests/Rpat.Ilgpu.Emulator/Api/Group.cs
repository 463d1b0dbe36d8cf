using Rpat.Ilgpu.Emulator.Execution;
using Rpat.Ilgpu.Emulator.Fibres;

namespace ILGPU;

/// <summary>The place of the running thread in its group, and the group's barrier.</summary>
public static class Group
{
    /// <summary>The thread's first index.</summary>
    public static int IdxX => Lane.Current.Index.X;

    /// <summary>The thread's second index.</summary>
    public static int IdxY => Lane.Current.Index.Y;

    /// <summary>The thread's third index.</summary>
    public static int IdxZ => Lane.Current.Index.Z;

    /// <summary>The thread's index.</summary>
    public static Index3D Index => Lane.Current.Index;

    /// <summary>Threads along the first axis.</summary>
    public static int DimX => Lane.Current.Group.Launch.Config.GroupDim.X;

    /// <summary>Threads along the second axis.</summary>
    public static int DimY => Lane.Current.Group.Launch.Config.GroupDim.Y;

    /// <summary>Threads along the third axis.</summary>
    public static int DimZ => Lane.Current.Group.Launch.Config.GroupDim.Z;

    /// <summary>Threads along each axis.</summary>
    public static Index3D Dimension => Lane.Current.Group.Launch.Config.GroupDim;

    /// <summary>The thread's number in its group.</summary>
    public static int LinearIndex => Lane.Current.Number;

    /// <summary>Whether it is the first thread of its group.</summary>
    public static bool IsFirstThread => LinearIndex == 0;

    /// <summary>Whether it is the last thread of its group.</summary>
    public static bool IsLastThread => LinearIndex == Dimension.Size - 1;

    /// <summary>Waits for every thread of the group.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.Group))]
    public static void Barrier() => throw Fibre.NotTranslated();

    /// <summary>Waits for every thread and counts those for which the predicate holds.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.Predicate), nameof(Barriers.PopCount))]
    public static int BarrierPopCount(bool predicate) => throw Fibre.NotTranslated();

    /// <summary>Waits for every thread; whether the predicate holds for all.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.Predicate), nameof(Barriers.And))]
    public static bool BarrierAnd(bool predicate) => throw Fibre.NotTranslated();

    /// <summary>Waits for every thread; whether the predicate holds for one.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.Predicate), nameof(Barriers.Or))]
    public static bool BarrierOr(bool predicate) => throw Fibre.NotTranslated();

    /// <summary>Waits for every thread and returns one thread's value.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.GroupBroadcast), nameof(Shuffles.Taken))]
    public static T Broadcast<T>(T value, int groupIndex)
        where T : unmanaged => throw Fibre.NotTranslated();
}
