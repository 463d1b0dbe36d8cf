using System.Net;

namespace Rpat.Training.Distributed;

/// <summary>
/// Reads the variables of a launcher. An empty one counts as unset; one that cannot be parsed, or that another one contradicts, is an
/// error: if it were ignored, each of several processes would train alone.
/// </summary>
internal sealed class LauncherVariables(IReadOnlyDictionary<string, string> environment)
{
    private const int MostProcesses = 1024, MostMachines = 100_000, LongestName = 253;

    /// <summary>A variable's text; null if it is unset or empty.</summary>
    public string? Text(string name) => environment.GetValueOrDefault(name)?.Trim() is { Length: > 0 } text ? text : null;

    /// <summary>A variable's number, from 0; null if it is unset or empty.</summary>
    /// <exception cref="UsageException">It is not a number.</exception>
    public int? Number(string name) => Text(name) is { } text ? Read(name, text) : null;

    /// <summary>A variable's digits; null if it is unset or empty.</summary>
    /// <exception cref="UsageException">It has something else.</exception>
    public string? Digits(string name) =>
        Text(name) is { } text && !text.All(char.IsAsciiDigit) ? throw Unreadable(name, text) : Text(name);

    /// <summary>What is missing if one of a pair was set without the other; otherwise null.</summary>
    public string? Missing { get; private set; }

    /// <summary>
    /// A rank and the number of ranks; null if neither is set, if only the number is set and is 1, or if one is <see cref="Missing"/>.
    /// </summary>
    /// <exception cref="UsageException">One cannot be parsed, or does not fit the other.</exception>
    public (int Rank, int Size)? Pair(string launcher, string rankName, string sizeName)
    {
        var (rank, size) = (Number(rankName), Number(sizeName));
        if (rank is null && size is null or 1) return null;
        if (rank is null || size is null)
        {
            var (set, unset) = rank is null ? (sizeName, rankName) : (rankName, sizeName);
            Missing ??= $"{set} is set and {unset} is not: set both for every process, or neither.";
            return null;
        }
        if (rank >= size)
            throw new UsageException(
                $"{launcher} says that this is rank {rank} of {size} processes: ranks go from 0 to one less than their number.");
        return size <= MostProcesses ? (rank.Value, size.Value)
            : throw new UsageException($"{sizeName} is {size}: at most {MostProcesses} processes can train together.");
    }

    /// <summary>Checks that a local rank fits the number of processes on its machine.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    public static void RequireBelow(string rankName, int rank, string sizeName, int size)
    {
        if (rank >= size)
            throw new UsageException($"{rankName} is {rank} and {sizeName} is {size}: ranks go from 0 to one less than their number.");
    }

    /// <summary><c>MASTER_ADDR</c>, or null.</summary>
    /// <exception cref="UsageException">It is neither a name nor an address.</exception>
    public string? Host()
    {
        if (Text("MASTER_ADDR") is not { } host) return null;
        string bare = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        if (IPAddress.TryParse(bare, out _) || bare.Length <= LongestName && bare.Split('.').All(IsLabel)) return bare;
        throw new UsageException(
            $"MASTER_ADDR is '{Shown(host)}': give the name or address of rank 0's machine, and the port in MASTER_PORT.");
    }

    /// <summary><c>MASTER_PORT</c>, or null.</summary>
    /// <exception cref="UsageException">It is not a port.</exception>
    public int? Port()
    {
        if (Text("MASTER_PORT") is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and < 65536
            ? port
            : throw new UsageException($"MASTER_PORT is '{Shown(text)}': give a port from 1 to 65535.");
    }

    /// <summary>Tasks of this machine, from a list of the tasks of each machine such as <c>4(x2),3</c>; null if it is unset.</summary>
    /// <exception cref="UsageException">It is not such a list.</exception>
    public int? TasksHere(string name)
    {
        if (Text(name) is not { } text) return null;
        int[] counts = [.. text.Split(',').SelectMany(part => Repeated(name, text, part))];
        return counts[Math.Min(Number("SLURM_NODEID") ?? 0, counts.Length - 1)];
    }

    private static IEnumerable<int> Repeated(string name, string text, string part)
    {
        string[] parts = part.TrimEnd(')').Split("(x");
        int[] numbers = [.. parts.Select(number => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n
            : 0)];
        return numbers is [> 0] or [> 0, > 0 and <= MostMachines]
            ? Enumerable.Repeat(numbers[0], numbers.Length == 2 ? numbers[1] : 1)
            : throw Unreadable(name, text);
    }

    // Names as in RFC 1123, and the underscores that some sites use.
    private static bool IsLabel(string label) => label.Length is > 0 and < 64 && label.All(c => char.IsLetterOrDigit(c) || c is '-' or '_');

    private static int Read(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Unreadable(name, text);

    private static UsageException Unreadable(string name, string text) =>
        new($"{name} is '{Shown(text)}', which is no number that a launcher would set: correct it, or unset it to train in one process.");

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
