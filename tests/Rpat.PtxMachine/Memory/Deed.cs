using System.Runtime.Intrinsics;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Memory;

/// <summary>
/// A thread that did something with a word, or that several did, and when: bits 0–10 the thread plus 1, 11–16 its warp, 17–31 the
/// warp's interval, 32–63 the group's.
/// </summary>
internal readonly record struct Deed(ulong Bits)
{
    private const ulong Several = 0x7FF, SeveralWarps = 0x3F;

    /// <summary>A copy that may write at any time.</summary>
    public static Deed Pending => new(ulong.MaxValue);

    /// <summary>The group's interval.</summary>
    public uint Interval => (uint)(Bits >> 32);

    private ulong Thread => Bits & Several;

    private ulong Warp => Bits >> 11 & SeveralWarps;

    public static Deed Of(uint interval, int warpInterval, int warp, int thread) =>
        new((ulong)interval << 32 | (ulong)(warpInterval & 0x7FFF) << 17 | (ulong)warp << 11 | (uint)thread + 1);

    /// <summary>The same of another thread of the warp.</summary>
    public Deed Next(int lane) => new(Bits + (uint)lane);

    /// <summary>The same of several threads of the warp.</summary>
    public Deed OfSeveral() => new(Bits | Several);

    /// <summary>Whether another thread did it where no barrier lies between that and now.</summary>
    public bool MeetsUnordered(Deed now) =>
        Interval == now.Interval && (Thread != now.Thread || Thread == Several) && (Warp != now.Warp || Bits >> 17 == now.Bits >> 17);

    /// <summary>This, and that a thread does it now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Deed And(Deed now) => Interval != now.Interval || (Thread == now.Thread && (Thread != Several || Warp == now.Warp)) ? now
        : WithOther(now);

    /// <summary>The same for four words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> And(Vector256<ulong> before, Deed now)
    {
        var bits = Vector256.Create(now.Bits);
        var changed = before ^ bits;
        var sameWarp = Vector256.Equals(changed & Vector256.Create(SeveralWarps << 11), Vector256<ulong>.Zero);
        var isOne = ~Vector256.Equals(before & Vector256.Create(Several), Vector256.Create(Several));
        var alone = ~Vector256.Equals(changed >> 32, Vector256<ulong>.Zero)
            | (Vector256.Equals(changed & Vector256.Create(Several), Vector256<ulong>.Zero) & (isOne | sameWarp));
        var warps = Vector256.ConditionalSelect(sameWarp, bits, Vector256<ulong>.AllBitsSet);
        var others = bits & Vector256.Create(~0x1FFFFul) | warps & Vector256.Create(SeveralWarps << 11) | Vector256.Create(Several);
        return Vector256.ConditionalSelect(alone, bits, others);
    }

    private Deed WithOther(Deed now) => new((now.Bits & ~0x1FFFFul) | (Warp == now.Warp ? Warp : SeveralWarps) << 11 | Several);

    /// <summary>Who did it, in words.</summary>
    public string Words(GroupRun group, string verb) =>
        Thread == Several ? $"other threads {verb}" : $"thread {group.Name((int)Thread - 1)} {verb}";
}
