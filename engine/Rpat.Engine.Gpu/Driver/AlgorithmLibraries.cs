using System.Reflection;
using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>
/// Resolves libraries under names that ILGPU.Algorithms does not try. On Linux the package asks for <c>nvidia-ml.so</c>, a name that only
/// development packages install, and for cuBLAS up to version 12; cuBLAS 13 has the functions used here unchanged.
/// </summary>
internal static class AlgorithmLibraries
{
    private static readonly Dictionary<string, string[]> _names = new()
    {
        ["nvidia-ml.so"] = ["libnvidia-ml.so.1"],
        ["libcublas.so.12"] = ["libcublas.so.12", "libcublas.so.13"],
        ["cublas64_12.dll"] = ["cublas64_12.dll", "cublas64_13.dll"],
    };

    static AlgorithmLibraries() => NativeLibrary.SetDllImportResolver(typeof(CuBlas).Assembly, Resolve);

    /// <summary>The cuBLAS that was loaded, or 0.</summary>
    public static nint CuBlas { get; private set; }

    /// <summary>Registers the resolver; call it before the package is used.</summary>
    public static void Find()
    {
        // The static constructor does it.
    }

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        foreach (string name in _names.GetValueOrDefault(library, [library]))
        {
            if (!NativeLibrary.TryLoad(name, assembly, path, out nint handle)) continue;
            if (library.Contains("cublas", StringComparison.Ordinal)) CuBlas = handle;
            return handle;
        }
        return 0; // the runtime continues its search, and reports what it did not find
    }
}
