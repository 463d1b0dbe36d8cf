using Rpat.Ilgpu.Emulator.Execution;
using Rpat.Ilgpu.Emulator.Fibres;

namespace ILGPU;

/// <summary>The place of the running thread in its warp of 32, and the exchanges of a warp.</summary>
public static class Warp
{
    /// <summary>Threads of a warp.</summary>
    public static int WarpSize => GroupRun.WarpSize;

    /// <summary>The thread's number in its warp.</summary>
    public static int LaneIdx => Lane.Current.Number % GroupRun.WarpSize;

    /// <summary>Whether it is the first of its warp.</summary>
    public static bool IsFirstLane => LaneIdx == 0;

    /// <summary>Whether it is the last of a full warp.</summary>
    public static bool IsLastLane => LaneIdx == WarpSize - 1;

    /// <summary>The warp's number in its group.</summary>
    public static int WarpIdx => Lane.Current.Warp;

    /// <summary>The warp of a thread.</summary>
    public static int ComputeWarpIdx(Index1D groupThreadIdx) => groupThreadIdx.X / WarpSize;

    /// <summary>The number of a thread in its warp.</summary>
    public static int ComputeWarpThreadIdx(Index1D groupThreadIdx) => groupThreadIdx.X % WarpSize;

    /// <summary>Waits for every thread of the warp.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.Warp))]
    public static void Barrier() => throw Fibre.NotTranslated();

    /// <summary>The value of another thread.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.Index), nameof(Shuffles.Taken))]
    public static T Shuffle<T>(T variable, int sourceLane)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of another thread of a part of the warp.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.IndexIn), nameof(Shuffles.Taken))]
    public static T Shuffle<T>(T variable, int sourceLane, int width)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of a later thread; the own one where there is none.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.Down), nameof(Shuffles.Taken))]
    public static T ShuffleDown<T>(T variable, int delta)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of a later thread of a part of the warp.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.DownIn), nameof(Shuffles.Taken))]
    public static T ShuffleDown<T>(T variable, int delta, int width)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of an earlier thread; the own one where there is none.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.Up), nameof(Shuffles.Taken))]
    public static T ShuffleUp<T>(T variable, int delta)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of an earlier thread of a part of the warp.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.UpIn), nameof(Shuffles.Taken))]
    public static T ShuffleUp<T>(T variable, int delta, int width)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of the thread whose number differs in the mask's bits.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.Xor), nameof(Shuffles.Taken))]
    public static T ShuffleXor<T>(T variable, int mask)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>The value of the thread whose number differs in the mask's bits, in a part of the warp.</summary>
    [Collective(typeof(Shuffles), nameof(Shuffles.XorIn), nameof(Shuffles.Taken))]
    public static T ShuffleXor<T>(T variable, int mask, int width)
        where T : unmanaged => throw Fibre.NotTranslated();

    /// <summary>One thread's value for all.</summary>
    [Collective(typeof(Barriers), nameof(Barriers.WarpBroadcast), nameof(Shuffles.Taken))]
    public static T Broadcast<T>(T value, int sourceLane)
        where T : unmanaged => throw Fibre.NotTranslated();
}
