using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.Cuda.API;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>The driver of this machine (CUDA Driver API: "Device Management", "Execution Control", "Unified Addressing").</summary>
internal sealed class NvidiaDriver : IDriver
{
    private const string ModuleVersion = "/sys/module/nvidia/version"; // on Linux
    private const int NoDevice = 100; // CUDA_ERROR_NO_DEVICE
    private const int HostMemory = 1; // CU_MEMORYTYPE_HOST
    private const int MemoryTypeOfPointer = 2; // CU_POINTER_ATTRIBUTE_MEMORY_TYPE

    // CUdevice_attribute
    private const int MultiprocessorCount = 16, BusNumber = 33, DeviceNumber = 34, DomainNumber = 50;
    private const int CapabilityMajor = 75, CapabilityMinor = 76, MostShared = 97;

    // CUfunction_attribute
    private const int MostThreads = 0, StaticShared = 1, LocalSize = 3, RegisterCount = 4, MostDynamicShared = 8;

    public int Version()
    {
        int version = 0;
        Require(nameof(CudaDriver.cuDriverGetVersion), () => CudaDriver.cuDriverGetVersion(out version));
        return version;
    }

    public string Release()
    {
        if (File.Exists(ModuleVersion)) return File.ReadAllText(ModuleVersion).Trim();
        return FromLibrary() ?? "";
    }

    public IReadOnlyList<DeviceFacts> Devices()
    {
        int count = 0, begun = Ask(nameof(CudaDriver.cuInit), () => CudaDriver.cuInit(0));
        if (begun == NoDevice) return [];
        Require(nameof(CudaDriver.cuInit), () => begun);
        Require(nameof(CudaDriver.cuDeviceGetCount), () => CudaDriver.cuDeviceGetCount(out count));
        return [.. Enumerable.Range(0, count).Select(Describe)];
    }

    public FunctionFacts Describe(nint function)
    {
        int Read(int attribute)
        {
            int value = 0;
            Require(nameof(CudaDriver.cuFuncGetAttribute), () => CudaDriver.cuFuncGetAttribute(out value, attribute, function));
            return value;
        }
        return new FunctionFacts(Read(RegisterCount), Read(MostThreads), Read(LocalSize), Read(StaticShared));
    }

    public void AllowDynamicShared(nint function, int bytes) =>
        Require(nameof(CudaDriver.cuFuncSetAttribute), () => CudaDriver.cuFuncSetAttribute(function, MostDynamicShared, bytes));

    // The driver returns CUDA_ERROR_INVALID_VALUE for memory that it does not know.
    public bool IsPageLocked(nint pointer) =>
        CudaDriver.cuPointerGetAttribute(out int type, MemoryTypeOfPointer, pointer) == 0 && type == HostMemory;

    private static DeviceFacts Describe(int index)
    {
        int device = 0;
        nuint bytes = 0;
        byte[] name = new byte[256];
        Require(nameof(CudaDriver.cuDeviceGet), () => CudaDriver.cuDeviceGet(out device, index));
        Require(nameof(CudaDriver.cuDeviceGetName), () => CudaDriver.cuDeviceGetName(name, name.Length, device));
        Require(nameof(CudaDriver.cuDeviceTotalMem_v2), () => CudaDriver.cuDeviceTotalMem_v2(out bytes, device));
        int Read(int attribute)
        {
            int value = 0;
            Require(nameof(CudaDriver.cuDeviceGetAttribute), () => CudaDriver.cuDeviceGetAttribute(out value, attribute, device));
            return value;
        }
        string bus = string.Create(CultureInfo.InvariantCulture, $"{Read(DomainNumber):X4}:{Read(BusNumber):X2}:{Read(DeviceNumber):X2}.0");
        string model = Encoding.UTF8.GetString(name.AsSpan(0, Math.Max(0, name.AsSpan().IndexOf((byte)0))));
        return new DeviceFacts(
            model, (long)bytes, Read(MultiprocessorCount), Read(CapabilityMajor), Read(CapabilityMinor), Read(MostShared), bus);
    }

    private static void Require(string function, Func<int> call)
    {
        int code = Ask(function, call);
        if (code != 0) throw new DriverException(Refusal(function, CudaDriver.Name(code)));
    }

    private static int Ask(string function, Func<int> call)
    {
        try
        {
            return call();
        }
        catch (DllNotFoundException)
        {
            throw new DriverException(
                $"the CUDA driver could not be loaded ({CudaDriver.FileName} was not found): install NVIDIA's driver");
        }
        catch (Exception e) when (e is BadImageFormatException or EntryPointNotFoundException)
        {
            throw new DriverException($"the CUDA driver ({CudaDriver.FileName}) has no {function} that this process can call: install a "
                + "newer driver of NVIDIA's");
        }
    }

    private static string Refusal(string function, string code) => code switch
    {
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" or "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE" =>
            $"the driver answers {code} to {function}: its library and the system's kernel module are of different versions, restart the "
                + "machine or install one version",
        "CUDA_ERROR_STUB_LIBRARY" => $"the driver answers {code} to {function}: a toolkit's stub was found before NVIDIA's driver, take it "
            + "off the library path",
        _ => $"the driver answers {code} to {function}: check that nvidia-smi lists the GPU and that no other program holds it",
    };

    /// <summary>From NVIDIA's management library; null if it is missing.</summary>
    private static string? FromLibrary()
    {
        AlgorithmLibraries.Find();
        try
        {
            var nvml = NvmlAPI.Create(null);
            if (nvml.Init() != NvmlReturn.NVML_SUCCESS) return null;
            nvml.SystemGetDriverVersion(out string? version);
            nvml.Shutdown();
            return version;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return null;
        }
    }
}
