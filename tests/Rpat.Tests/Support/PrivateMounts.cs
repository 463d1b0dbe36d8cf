namespace Rpat.Tests.Support;

/// <summary>
/// Runs <c>rpat</c> in a process whose mounts are its own, so that a test can have a disk that is full or one that may only be read. Linux
/// only, and only where the system lets a user make such a namespace.
/// </summary>
internal static class PrivateMounts
{
    /// <summary>Whether this machine can do it.</summary>
    public static bool Exist { get; } = OperatingSystem.IsLinux() && File.Exists("/usr/bin/unshare")
        && Shell("mount -t tmpfs none /mnt", []).Code == 0;

    /// <summary>Makes mounts and runs the program on them; they are gone when this returns.</summary>
    /// <param name="mounts">Shell commands before the program; any that fails ends it.</param>
    /// <param name="after">Shell commands after it, such as those that copy what shall be looked at.</param>
    /// <param name="arguments">The program's command line.</param>
    public static (int Code, string Error) Run(string mounts, string after, params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "rpat.dll");
        return Shell($"{mounts}\ndotnet \"$@\"\ncode=$?\nset +e\n{after}\nexit $code", [program, .. arguments]);
    }

    private static (int Code, string Error) Shell(string script, string[] arguments)
    {
        string[] all = ["-rm", "sh", "-c", Checked(script), "sh", .. arguments];
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/unshare", all)
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }

    // A mount that fails ends the script; the program's own exit code is what the test wants to see.
    private static string Checked(string script) => script.Contains("\ndotnet ", StringComparison.Ordinal)
        ? "set -e\n" + script.Replace("\ndotnet ", "\nset +e\ndotnet ", StringComparison.Ordinal)
        : "set -e\n" + script;
}
