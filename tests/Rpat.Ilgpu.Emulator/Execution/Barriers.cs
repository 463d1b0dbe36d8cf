namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>The barriers of a group, alone and with a reduction.</summary>
internal static unsafe class Barriers
{
    private static readonly Collective s_group = new Plain("Group.Barrier", wholeGroup: true);
    private static readonly Collective s_warp = new Plain("Warp.Barrier", wholeGroup: false);
    private static readonly Collective s_count = new Count();
    private static readonly Collective s_groupBroadcast = new Broadcast("Group.Broadcast", wholeGroup: true);
    private static readonly Collective s_warpBroadcast = new Broadcast("Warp.Broadcast", wholeGroup: false);

    public static bool Group() => Wait(s_group, 0);

    public static bool Warp() => Wait(s_warp, 0);

    public static bool Predicate(bool predicate) => Wait(s_count, predicate ? 1 : 0);

    public static int PopCount() => *(int*)Lane.Current.Result;

    public static bool And() => PopCount() == Lane.Current.Group.Lanes.Length;

    public static bool Or() => PopCount() > 0;

    public static bool GroupBroadcast<T>(T value, int source)
        where T : unmanaged => Shuffles.Bring(s_groupBroadcast, value, source, 0);

    public static bool WarpBroadcast<T>(T value, int source)
        where T : unmanaged => Shuffles.Bring(s_warpBroadcast, value, source, 0);

    private static bool Wait(Collective collective, int a)
    {
        Lane.Current.Wait(collective, a);
        return true;
    }

    private sealed class Plain(string name, bool wholeGroup) : Collective(name, wholeGroup)
    {
        public override bool OrdersMemory => true;

        public override void Resolve(ReadOnlySpan<Lane> lanes)
        {
        }
    }

    private sealed class Count() : Collective("Group.BarrierPopCount, And or Or", wholeGroup: true)
    {
        public override void Resolve(ReadOnlySpan<Lane> lanes)
        {
            int count = 0;
            foreach (var lane in lanes) count += lane.A;
            foreach (var lane in lanes) *(int*)lane.Result = count;
        }
    }

    private sealed class Broadcast(string name, bool wholeGroup) : Collective(name, wholeGroup)
    {
        public override void Resolve(ReadOnlySpan<Lane> lanes)
        {
            foreach (var lane in lanes) Shuffles.Take(lane, Shuffles.Source(lanes, lane, lanes[0].A));
        }
    }
}
