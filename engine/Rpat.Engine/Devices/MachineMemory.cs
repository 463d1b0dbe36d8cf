namespace Rpat.Engine.Devices;

/// <summary>
/// The memory available to this process. Linux grants more than it has, and kills a process that uses it, so this is checked beforehand.
/// </summary>
internal static class MachineMemory
{
    private const long Large = 64L << 20; // bytes; smaller allocations skip the check of free memory

    // Limits of a container: control groups of version 2 and 1.
    private static readonly string[] _limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

    /// <summary>Bytes that this process may use: the machine's, or its container's.</summary>
    public static long Total()
    {
        long machine = Entry("MemTotal") is { } total ? total + (Entry("SwapTotal") ?? 0) : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return _limits.Where(File.Exists).Select(Number).Prepend(machine).Min();
    }

    /// <summary>Throws if an allocation exceeds its owner's remaining budget or the machine's free memory.</summary>
    /// <exception cref="OutOfMemoryException">It exceeds either.</exception>
    public static void Require(long bytes, long left)
    {
        if (bytes >= Large && Entry("MemAvailable") is { } free) left = Math.Min(left, free + (Entry("SwapFree") ?? 0));
        if (bytes > left)
            throw new OutOfMemoryException($"A buffer of {bytes >> 20} MiB is wanted where {Math.Max(0, left) >> 20} MiB are left.");
    }

    /// <summary>Bytes in a line such as <c>MemTotal:  24597880 kB</c>, or null if the system does not report it.</summary>
    private static long? Entry(string name)
    {
        const string table = "/proc/meminfo";
        string? line = File.Exists(table) ? File.ReadLines(table)
            .FirstOrDefault(text => text.StartsWith(name + ":", StringComparison.Ordinal)) : null;
        string digits = string.Concat((line ?? "").Where(char.IsAsciiDigit));
        return digits.Length == 0 ? null : long.Parse(digits, CultureInfo.InvariantCulture) << 10;
    }

    // The file contains "max" if there is no limit.
    private static long Number(string path) =>
        long.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes
        : long.MaxValue;
}
