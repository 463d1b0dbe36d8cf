namespace Rpat.Distributed.Mpi;

/// <summary>
/// Keeps this process's connection to MPICH's launcher open for some seconds if it is killed. The launcher kills all ranks as soon as one
/// of these connections breaks; held open, the others have time to report which rank has died, and end by themselves.
/// </summary>
internal static class LauncherHold
{
    // The connection's descriptor, as MPICH's launcher and its kin name it.
    private const string Connection = "PMI_FD";

    // A shell has its parent's connection. A line on its input ends it at once, the end of its input, which a dead process leaves, later.
    private const string Script = "trap '' INT TERM HUP USR1 USR2; read -r line || sleep 3";

    private const int PatienceMs = 2000;

    /// <summary>Holds the connection from now on; must be called before the library is initialised, whose own connections break at
    /// once.</summary>
    public static void Begin()
    {
        if (OperatingSystem.IsWindows() || string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Connection))) return;
        try
        {
            var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script]) { RedirectStandardInput = true })!;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => End(shell);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Without a shell the launcher reports a dead rank in its own words.
        }
    }

    // An orderly end, of which the launcher may know.
    private static void End(Process shell)
    {
        try
        {
            shell.StandardInput.WriteLine();
            shell.StandardInput.Close();
            shell.WaitForExit(PatienceMs);
        }
        catch (IOException)
        {
            // The shell has been killed.
        }
    }
}
