namespace Rpat.Distributed;

/// <summary>The kinds of collectives, as ranks name them to each other.</summary>
internal enum Collective : byte
{
    SumFloats = 1,
    SumDoubles,
    Gather,
    Broadcast,
}

/// <summary>What ranks compare before a collective, so that ranks that are out of sync get an error, not each other's bytes.</summary>
/// <param name="Number">The collectives of this group so far, this one included.</param>
/// <param name="Bytes">Bytes of this rank's values.</param>
internal readonly record struct CollectiveHeader(Collective Kind, int Number, long Bytes)
{
    /// <summary>How another rank's header differs from this one; null if it does not.</summary>
    public string? Difference(int rank, in CollectiveHeader its, int peer) =>
        its.Kind == Kind && its.Number == Number && (its.Bytes == Bytes || Kind == Collective.Gather)
            ? null
            : $"rank {peer} is at common step {its.Number} ({its.Kind}, {its.Bytes} bytes), "
                + $"rank {rank} at {Number} ({Kind}, {Bytes} bytes)";

    /// <summary>The error of ranks that differ.</summary>
    public static string OutOfSync(string difference) => $"the ranks are out of sync: {difference}";

    /// <summary>A gather whose parts do not fill the place for them.</summary>
    public static string Gathered(long bytes, long expected) => $"{bytes} bytes were gathered where {expected} were expected";
}
