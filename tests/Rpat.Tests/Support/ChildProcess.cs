namespace Rpat.Tests.Support;

/// <summary>The program in a process of its own, on the CPU.</summary>
internal static class ChildProcess
{
    /// <summary>What starts it; both outputs are redirected.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="under">A command that starts the rest of its line, such as <c>nohup</c>.</param>
    public static ProcessStartInfo Of(IEnumerable<string> arguments, params string[] under)
    {
        var start = new ProcessStartInfo("env", [.. Signals(), .. under, "dotnet", Path.Combine(AppContext.BaseDirectory, "rpat.dll"),
            .. arguments])
        { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["RPAT__DEVICE__NAME"] = "cpu";
        return start;
    }

    // Whatever is started in a shell's background ignores these, and so do its children.
    private static string[] Signals()
    {
        const string status = "/proc/self/status", mask = "SigIgn:";
        if (!File.Exists(status)) return [];
        string line = File.ReadLines(status).First(text => text.StartsWith(mask, StringComparison.Ordinal));
        bool ignores = (ulong.Parse(line.AsSpan(mask.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 3) != 0;
        return ignores ? ["--default-signal=HUP,INT"] : [];
    }
}
