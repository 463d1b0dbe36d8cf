namespace Rpat.Models;

/// <summary>Channels of a network's stem, and blocks and channels of each stage; as text <c>16,5x320,5x640,5x512</c>.</summary>
internal sealed record NetSizes(int Stem, IReadOnlyList<(int Blocks, int Channels)> Stages)
{
    private const int Largest = 1 << 14;
    private const int MostBlocks = 1000; // that a text may ask for

    /// <summary>Stages of equal numbers of blocks, each twice as wide as the one before.</summary>
    public static NetSizes Doubling(int stem, int first, int stages, int blocks) =>
        new(stem, [.. Enumerable.Range(0, stages).Select(i => (blocks, first << i))]);

    /// <summary>The same proportions with another width of the first stage, and another number of blocks in every stage unless it is
    /// 0.</summary>
    public NetSizes Scaled(int width, int blocks) => this with
    {
        Stages = [.. Stages.Select(s => (blocks == 0 ? s.Blocks : blocks, Math.Max(1, s.Channels * width / Stages[0].Channels)))],
    };

    /// <summary>The sizes of a text.</summary>
    /// <exception cref="ArgumentException">It is no such text.</exception>
    public static NetSizes Parse(string text) => TryParse(text) ?? throw new ArgumentException(
        $"'{text}' are no sizes of a network: give the stem's channels and each stage's blocks and channels, such as 16,2x16,2x32.");

    /// <summary>The sizes of a text, or null.</summary>
    public static NetSizes? TryParse(string text)
    {
        int[][] parts = [.. text.Split(',').Select(part => part.Split('x').Select(Number).ToArray())];
        bool isGood = parts.Length > 1 && parts[0].Length == 1 && parts.Skip(1).All(part => part.Length == 2)
            && !parts.SelectMany(part => part).Contains(0) && parts.Skip(1).Sum(part => part[0]) <= MostBlocks;
        return isGood ? new(parts[0][0], [.. parts.Skip(1).Select(part => (part[0], part[1]))]) : null;

        static int Number(string part) =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n <= Largest ? n : 0;
    }

    /// <summary>The sizes that weights show, or null if the stem or a stage is not among them.</summary>
    /// <param name="shapes">Sizes of the weights by name.</param>
    /// <param name="stem">Name of the first convolution.</param>
    /// <param name="stages">Name of each stage's blocks, before their numbers.</param>
    /// <param name="square">Name, in a block, of the convolution with as many inputs as outputs.</param>
    public static NetSizes? In(IReadOnlyDictionary<string, long[]> shapes, string stem, IReadOnlyList<string> stages, string square)
    {
        if (!shapes.TryGetValue(stem, out long[]? first) || first is not [> 0 and <= Largest, ..]) return null;
        var found = stages.Select(stage => (BlocksIn(shapes.Keys, stage + "."), Channels: ChannelsOf($"{stage}.0.{square}.weight")));
        return new NetSizes((int)first[0], [.. found]) is var sizes && sizes.Stages.All(s => s.Channels > 0) ? sizes : null;

        int ChannelsOf(string name) =>
            shapes.TryGetValue(name, out long[]? shape) && shape is [> 0 and <= Largest, var inputs, ..] && inputs == shape[0]
                ? (int)shape[0] : 0;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(',', [Stem.ToString(CultureInfo.InvariantCulture), .. Stages.Select(s => $"{s.Blocks}x{s.Channels}")]);

    /// <summary>Whether all sizes are equal.</summary>
    public bool Equals(NetSizes? other) => other is not null && Stem == other.Stem && Stages.SequenceEqual(other.Stages);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Stem, Stages.Count);

    /// <summary>How many numbers follow the prefix in names.</summary>
    public static int BlocksIn(IEnumerable<string> names, string prefix) =>
        names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..].Split('.')[0])
            .Distinct().Count();
}
