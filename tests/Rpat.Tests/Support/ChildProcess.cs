namespace Rpat.Tests.Support;

/// <summary>The program in a process of its own, on the CPU.</summary>
internal static class ChildProcess
{
    /// <summary>What starts it; both outputs are redirected.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="under">A command that starts the rest of its line, such as <c>nohup</c>.</param>
    public static ProcessStartInfo Of(IEnumerable<string> arguments, params string[] under)
    {
        var start = new ProcessStartInfo("env", [.. Heard(), .. under, "dotnet", Path.Combine(AppContext.BaseDirectory, "rpat.dll"),
            .. arguments])
        { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["RPAT__DEVICE__NAME"] = "cpu";
        return start;
    }

    /// <summary>A process's mask of signals, from Linux: bit 0 is that of signal 1.</summary>
    /// <param name="process">Its number, or <c>self</c>.</param>
    /// <param name="mask"><c>SigIgn</c> or <c>SigCgt</c>.</param>
    /// <exception cref="IOException">It has ended.</exception>
    public static ulong Signals(string process, string mask)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(text => text.StartsWith(mask + ':', StringComparison.Ordinal));
        return ulong.Parse(line.AsSpan(mask.Length + 1).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    // Whatever is started in a shell's background ignores these, and so do its children.
    private static string[] Heard() => OperatingSystem.IsLinux() && (Signals("self", "SigIgn") & 3) != 0 ? ["--default-signal=HUP,INT"] : [];
}
