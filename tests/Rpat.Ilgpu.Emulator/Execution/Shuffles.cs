namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>Exchanges between the threads of a warp, as PTX's shfl.sync does them.</summary>
internal static unsafe class Shuffles
{
    private static readonly Collective s_index = new Exchange("Warp.Shuffle", (lane, operand, width) => First(lane, width) + (operand & (width - 1)));
    private static readonly Collective s_down = new Exchange("Warp.ShuffleDown", Down);
    private static readonly Collective s_up = new Exchange("Warp.ShuffleUp", Up);
    private static readonly Collective s_xor = new Exchange("Warp.ShuffleXor", Xor);

    public static bool Index<T>(T value, int source)
        where T : unmanaged => Bring(s_index, value, source, GroupRun.WarpSize);

    public static bool IndexIn<T>(T value, int source, int width)
        where T : unmanaged => Bring(s_index, value, source, width);

    public static bool Down<T>(T value, int delta)
        where T : unmanaged => Bring(s_down, value, delta, GroupRun.WarpSize);

    public static bool DownIn<T>(T value, int delta, int width)
        where T : unmanaged => Bring(s_down, value, delta, width);

    public static bool Up<T>(T value, int delta)
        where T : unmanaged => Bring(s_up, value, delta, GroupRun.WarpSize);

    public static bool UpIn<T>(T value, int delta, int width)
        where T : unmanaged => Bring(s_up, value, delta, width);

    public static bool Xor<T>(T value, int mask)
        where T : unmanaged => Bring(s_xor, value, mask, GroupRun.WarpSize);

    public static bool XorIn<T>(T value, int mask, int width)
        where T : unmanaged => Bring(s_xor, value, mask, width);

    /// <summary>The result of an exchange.</summary>
    public static T Taken<T>()
        where T : unmanaged => *(T*)Lane.Current.Result;

    /// <summary>Goes to sleep with a value in hand.</summary>
    public static bool Bring<T>(Collective collective, T value, int a, int b)
        where T : unmanaged
    {
        if (sizeof(T) > Lane.ValueBytes) throw Fault.In($"passes a value of {sizeof(T)} bytes, more than {Lane.ValueBytes}, through {collective}");
        var lane = Lane.Current;
        *(T*)lane.Value = value;
        lane.Wait(collective, a, b);
        return true;
    }

    /// <summary>The thread that a thread reads from.</summary>
    public static Lane Source(ReadOnlySpan<Lane> lanes, Lane reader, int source) =>
        (uint)source < (uint)lanes.Length ? lanes[source]
            : throw Fault.In(reader, $"reads from thread {source} in {reader.Pending}, but only {lanes.Length} threads are there");

    public static void Take(Lane reader, Lane source) =>
        new ReadOnlySpan<byte>(source.Value, Lane.ValueBytes).CopyTo(new Span<byte>(reader.Result, Lane.ValueBytes));

    private static int First(int lane, int width) => lane & -width;

    private static int Down(int lane, int delta, int width) => lane + delta < First(lane, width) + width ? lane + delta : lane;

    private static int Up(int lane, int delta, int width) => lane - delta >= First(lane, width) ? lane - delta : lane;

    private static int Xor(int lane, int mask, int width) => (lane ^ mask) < First(lane, width) + width ? lane ^ mask : lane;

    private sealed class Exchange(string name, Func<int, int, int, int> source) : Collective(name, wholeGroup: false)
    {
        public override void Resolve(ReadOnlySpan<Lane> lanes)
        {
            for (int lane = 0; lane < lanes.Length; lane++)
                Take(lanes[lane], Source(lanes, lanes[lane], source(lane, lanes[lane].A, lanes[lane].B)));
        }
    }
}
