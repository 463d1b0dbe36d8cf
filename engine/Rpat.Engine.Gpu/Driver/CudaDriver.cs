using System.Reflection;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>
/// Functions of NVIDIA's driver library, under their own names (CUDA Driver API); each returns 0 for success.
/// The library comes with the driver.
/// </summary>
internal static partial class CudaDriver
{
    /// <summary>The file name under which this system has the driver's library.</summary>
    public static string FileName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    private const string Library = "cuda-driver";
    private const string WslFolder = "/usr/lib/wsl/lib/"; // not on the loader's path

    static CudaDriver() => NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, Resolve);

    [LibraryImport(Library)]
    public static partial int cuInit(uint flags);

    [LibraryImport(Library)]
    public static partial int cuDriverGetVersion(out int version);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetCount(out int count);

    [LibraryImport(Library)]
    public static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetName([Out] byte[] name, int length, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library)]
    public static partial int cuFuncGetAttribute(out int value, int attribute, nint function);

    [LibraryImport(Library)]
    public static partial int cuFuncSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library)]
    public static partial int cuPointerGetAttribute(out int value, int attribute, nint pointer);

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
    public static partial int cuEventCreate(out nint handle, uint flags);

    [LibraryImport(Library)]
    public static partial int cuEventRecord(nint handle, nint stream);

    [LibraryImport(Library)]
    public static partial int cuEventDestroy_v2(nint handle);

    [LibraryImport(Library)]
    public static partial int cuStreamWaitEvent(nint stream, nint handle, uint flags);

    [LibraryImport(Library)]
    private static partial int cuGetErrorName(int code, out nint name);

    /// <summary>The driver's name for an error code.</summary>
    public static string Name(int code) =>
        cuGetErrorName(code, out nint name) == 0 && Marshal.PtrToStringUTF8(name) is { } text
            ? text
            : string.Create(CultureInfo.InvariantCulture, $"error {code}");

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library != Library) return 0;
        return NativeLibrary.TryLoad(WslFolder + FileName, out nint wsl) ? wsl : NativeLibrary.Load(FileName, assembly, path);
    }
}
