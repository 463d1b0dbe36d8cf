using Rpat.Tests.Distributed;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>The launchers of Open MPI and MPICH, by the names that Debian gives them on machines that may have both.</summary>
internal static class Mpirun
{
    /// <summary>The families that are installed: <c>openmpi</c>, <c>mpich</c>.</summary>
    public static IReadOnlyList<string> Installed { get; } = [.. new[] { "openmpi", "mpich" }.Where(family =>
        Program(family) is not null && Library(family) is not null)];

    /// <summary>Starts the program in some processes.</summary>
    public static Process Start(string family, int count, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        string[] any = family == "openmpi" ? ["--allow-run-as-root", "--oversubscribe"] : [];
        var start = new ProcessStartInfo(Program(family)!,
            [.. any, "-n", $"{count}", "dotnet", Path.Combine(AppContext.BaseDirectory, "rpat.dll"), .. arguments])
        { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>The library of a family, or null.</summary>
    public static string? Library(string family) =>
        (family == "openmpi" ? new[] { "libmpi.so.40" } : ["libmpi.so.12", "libmpich.so.12"])
        .FirstOrDefault(name => Team.Try(() => MpiLibrary.Find(name, null)) is null);

    private static string? Program(string family)
    {
        string path = System.Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':').Select(folder => Path.Combine(folder, "mpirun." + family)).FirstOrDefault(File.Exists);
    }
}
