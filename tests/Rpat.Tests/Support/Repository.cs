namespace Rpat.Tests.Support;

/// <summary>Files of the repository that the tests run from.</summary>
internal static class Repository
{
    private const string Marker = "RPAT.Native.sln";

    /// <summary>The folder of the solution file, looked for upwards from the test assembly.</summary>
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    /// <summary>The full path of a file given by its parts from the root.</summary>
    public static string File(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find(DirectoryInfo? folder)
    {
        while (folder is not null && !System.IO.File.Exists(Path.Combine(folder.FullName, Marker))) folder = folder.Parent;
        return folder?.FullName ?? throw new FileNotFoundException($"No folder above '{AppContext.BaseDirectory}' holds {Marker}.");
    }
}
