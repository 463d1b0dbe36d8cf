namespace Rpat.Tests.Support;

/// <summary>
/// Puts the temporary files of all tests into memory where there is room for them: the program flushes what it writes, and a disk takes
/// milliseconds for each of many thousand files.
/// </summary>
internal static class MemoryFolder
{
    private const string Folder = "/dev/shm", Variable = "TMPDIR";
    private const long Room = 4L << 30;

    [ModuleInitializer]
    internal static void Use()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null && Directory.Exists(Folder)
            && new DriveInfo(Folder).AvailableFreeSpace > Room)
            Environment.SetEnvironmentVariable(Variable, Folder);
    }
}
