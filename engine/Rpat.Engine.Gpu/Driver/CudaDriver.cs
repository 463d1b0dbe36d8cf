using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>
/// Functions of NVIDIA's driver library, under their own names (CUDA Driver API, "Stream Management" and "Graph Management"); each
/// returns 0 for success. The library comes with the driver.
/// </summary>
internal static partial class CudaDriver
{
    private const string Library = "cuda-driver";

    static CudaDriver() => NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, Resolve);

    [LibraryImport(Library)]
    public static partial int cuStreamBeginCapture_v2(nint stream, int mode);

    [LibraryImport(Library)]
    public static partial int cuStreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library)]
    public static partial int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library)]
    public static partial int cuGraphLaunch(nint executable, nint stream);

    [LibraryImport(Library)]
    public static partial int cuGraphExecDestroy(nint executable);

    [LibraryImport(Library)]
    public static partial int cuGraphDestroy(nint graph);

    [LibraryImport(Library)]
    private static partial int cuGetErrorName(int code, out nint name);

    /// <summary>The driver's name of a code.</summary>
    public static string Name(int code) =>
        cuGetErrorName(code, out nint name) == 0 && Marshal.PtrToStringUTF8(name) is { } text
            ? text
            : string.Create(CultureInfo.InvariantCulture, $"error {code}");

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library != Library) return 0;
        return NativeLibrary.Load(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", assembly, path);
    }
}
