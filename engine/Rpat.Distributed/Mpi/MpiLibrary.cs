namespace Rpat.Distributed.Mpi;

/// <summary>An MPI library of this machine, loaded but not initialised.</summary>
public sealed unsafe partial class MpiLibrary
{
    /// <summary>The environment variable that names the library to load.</summary>
    public const string Variable = "RPAT_MPI";

    private const int Now = 2, Global = 0x100, LongestVersion = 8192; // dlopen's RTLD_NOW and RTLD_GLOBAL; the longest of any family

    private static readonly (MpiFamily Family, string Name)[] _names =
    [
        (MpiFamily.Standard, "libmpi_abi.so.0"), (MpiFamily.Standard, "libmpi_abi.so"), (MpiFamily.OpenMpi, "libmpi.so.40"),
        (MpiFamily.Mpich, "libmpi.so.12"), (MpiFamily.Mpich, "libmpich.so.12"), // the latter is Debian's name
    ];

    internal MpiLibrary(string path, string version, MpiAbi abi, in MpiFunctions functions) =>
        (Path, Version, Abi, Functions) = (path, version, abi, functions);

    /// <summary>The name or path by which it was loaded.</summary>
    public string Path { get; }

    /// <summary>The first line of what it says about itself, such as <c>Open MPI v4.1.4</c>.</summary>
    public string Version { get; }

    /// <summary>Its binary interface.</summary>
    public MpiFamily Family => Abi.Family;

    /// <summary>Name, version and file, for people.</summary>
    public string Description => $"{Version} ({Path})";

    internal MpiAbi Abi { get; }

    internal MpiFunctions Functions { get; }

    /// <summary>
    /// Loads a library with global symbols, since MPI libraries load parts of themselves later: the named one, or the first that is there
    /// of the family of the launcher, then of the standard ABI, Open MPI, MPICH.
    /// </summary>
    /// <param name="named">The value of <see cref="Variable"/>; null or empty for none.</param>
    /// <param name="launcher">The family of the launcher, or null if it is unknown.</param>
    /// <returns>Null if this machine has none.</returns>
    /// <exception cref="HandshakeException">The named one is missing, or what was found is not an MPI library that is known.</exception>
    public static MpiLibrary? Find(string? named, MpiFamily? launcher)
    {
        if (!string.IsNullOrEmpty(named))
            return Open(named) is var given and not 0 ? Of(named, given) : throw new HandshakeException(
                $"{Variable} is '{named}', which cannot be loaded: give the path of an MPI library, such as libmpi.so.40.");
        foreach (var (_, name) in _names.OrderBy(pair => pair.Family != launcher))
            if (Open(name) is var handle and not 0) return Of(name, handle);
        return null;
    }

    private static MpiLibrary Of(string path, nint handle)
    {
        nint Symbol(string name) => NativeLibrary.GetExport(handle, name);
        try
        {
            var functions = MpiFunctions.Of(Symbol);
            string version = VersionOf(functions);
            var family = MpiAbi.FamilyOf(version, StandardOf(handle)) ?? throw new HandshakeException(
                $"the MPI library {path} says that it is '{version}', which is neither Open MPI nor MPICH nor of MPI 5.0's ABI: "
                + $"name another one in {Variable}, or start with run.transport=tcp.");
            var abi = family switch
            {
                MpiFamily.OpenMpi => MpiAbi.OpenMpi(Symbol),
                MpiFamily.Mpich => MpiAbi.Mpich,
                _ => MpiAbi.Standard,
            };
            return new MpiLibrary(path, version, abi, functions);
        }
        catch (EntryPointNotFoundException error)
        {
            throw new HandshakeException($"{path} is not an MPI library ({error.Message.TrimEnd('.')}): name another one in {Variable}.",
                error);
        }
    }

    private static string VersionOf(in MpiFunctions functions)
    {
        byte* text = stackalloc byte[LongestVersion + 1];
        int length = 0;
        if (functions.MPI_Get_library_version(text, &length) != 0) return "";
        string all = Encoding.UTF8.GetString(text, Math.Clamp(length, 0, LongestVersion)).TrimEnd('\0');
        // Open MPI's line goes on with who built it, MPICH's has tabs.
        string line = string.Join(' ', all.Split('\n')[0].Split(',')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= 100 ? line : line[..100];
    }

    private static int StandardOf(nint handle)
    {
        int major = 0, minor = 0;
        if (!NativeLibrary.TryGetExport(handle, "MPI_Abi_get_version", out nint version)) return 0;
        return ((delegate* unmanaged<int*, int*, int>)version)(&major, &minor) == 0 ? major : 0;
    }

    private static nint Open(string name)
    {
        // UCX, on which both families may be built, takes the signal by which .NET notices a null reference, and ends the process with it.
        NativeEnvironment.Default("UCX_ERROR_SIGNALS", "");
        try
        {
            return OperatingSystem.IsLinux() ? DlOpen(name, Now | Global) : Load(name);
        }
        catch (EntryPointNotFoundException) // before glibc 2.34, which has it elsewhere
        {
            return Load(name);
        }
    }

    private static nint Load(string name) => NativeLibrary.TryLoad(name, out nint handle) ? handle : 0;

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint DlOpen(string name, int flags);
}
