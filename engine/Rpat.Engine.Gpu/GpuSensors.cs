using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.Cuda.API;
using Rpat.Engine.Gpu.Driver;

namespace Rpat.Engine.Gpu;

/// <summary>
/// Clocks, power, temperature and memory of a GPU, read from NVIDIA's management library (NVML), which comes with the driver.
/// </summary>
public sealed class GpuSensors : IDisposable
{
    private readonly NvmlDevice _device;

    private GpuSensors(NvmlDevice device) => _device = device;

    /// <summary>Opens the sensors of a GPU.</summary>
    /// <param name="why">Why there are none, as the end of a sentence, or null.</param>
    /// <returns>Null if the library is missing or does not know the GPU.</returns>
    public static GpuSensors? Open(GpuInfo gpu, out string? why)
    {
        AlgorithmLibraries.Find();
        try
        {
            why = null;
            return new GpuSensors(NvmlDevice.CreateFromPciBusId(gpu.BusId));
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            why = "NVIDIA's management library (NVML) was not found: it comes with the driver, in containers with the capability 'utility'";
        }
        catch (NvmlException e)
        {
            why = $"NVIDIA's management library (NVML) answers {e.Error} for {gpu.Name}";
        }
        return null;
    }

    /// <summary>The current readings.</summary>
    public GpuReading Read()
    {
        var (nvml, handle) = (_device.API, _device.DeviceHandle);
        return new GpuReading(
            (int?)Ask((out uint value) => nvml.DeviceGetClockInfo(handle, NvmlClockType.NVML_CLOCK_SM, out value)),
            (int?)Ask((out uint value) => nvml.DeviceGetClockInfo(handle, NvmlClockType.NVML_CLOCK_MEM, out value)),
            Ask((out uint value) => nvml.DeviceGetPowerUsage(handle, out value)) / 1e3,
            Ask((out uint value) => nvml.DeviceGetEnforcedPowerLimit(handle, out value)) / 1e3,
            (int?)Ask((out uint value) => nvml.DeviceGetTemperature(handle, NvmlTemperatureSensors.NVML_TEMPERATURE_GPU, out value)),
            Ask((out NvmlMemory value) => nvml.DeviceGetMemoryInfo(handle, out value))?.Used / (double)(1 << 20),
            GpuReading.Reasons(Ask((out ulong value) => nvml.DeviceGetCurrentClocksThrottleReasons(handle, out value)) ?? 0));
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private delegate NvmlReturn Question<T>(out T value);

    // Not every GPU has every sensor, and not every library version has every function.
    private static T? Ask<T>(Question<T> question) where T : struct
    {
        try
        {
            return question(out var value) == NvmlReturn.NVML_SUCCESS ? value : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }
}
