using Rpat.Engine.Gpu.Driver;
using Rpat.Engine.Gpu.Emulation;

namespace Rpat.Engine.Gpu;

/// <summary>What the CUDA backend finds on this machine.</summary>
public static partial class GpuBackend
{
    /// <summary>The GPUs by number, including unusable ones, and if none is usable one sentence that says why.</summary>
    public static (IReadOnlyList<GpuInfo> Devices, string? Why) Find() => Find(new NvidiaDriver());

    /// <summary>The first usable GPU, or null.</summary>
    public static GpuInfo? First() => Find().Devices.FirstOrDefault(gpu => gpu.Problem is null);

    /// <summary>Opens a GPU.</summary>
    /// <param name="index">The driver's device number, from 0.</param>
    /// <exception cref="DeviceUnavailableException">There is no such GPU, or it cannot be used.</exception>
    public static Device Open(int index, Precision precision = Precision.Fp32)
    {
        var driver = new NvidiaDriver();
        var (facts, version) = Require(driver, index, precision);
        return GpuDevice.Cuda(index, precision, driver, facts, version);
    }

    /// <summary>
    /// The CPU backend with every rounding of a GPU in <see cref="Precision.Bf16"/>, to measure what that does to accuracy; memory and
    /// sums are float32.
    /// </summary>
    /// <param name="threads">Threads to use; 0 means one per core. Results do not depend on it.</param>
    public static Device EmulateBf16(int threads = 0, ConvolutionAlgorithm convolution = ConvolutionAlgorithm.Auto) =>
        new RoundedCpuDevice(threads, convolution);

    internal static (IReadOnlyList<GpuInfo> Devices, string? Why) Find(IDriver driver)
    {
        try
        {
            int version = driver.Version();
            var devices = driver.Devices();
            string release = devices.Count > 0 ? driver.Release() : "";
            GpuInfo[] found = [.. devices.Select((device, index) => Describe(device, index, version) with { Driver = release })];
            if (found.Length == 0) return (found, "the CUDA driver found no GPU: check that nvidia-smi lists one");
            return (found, found.All(gpu => gpu.Problem is not null) ? $"{found[0].Name} cannot be used, since {found[0].Problem}" : null);
        }
        catch (DriverException e)
        {
            return ([], e.Message);
        }
    }

    /// <summary>The driver's data on a usable GPU.</summary>
    /// <exception cref="DeviceUnavailableException">There is no such GPU, or it cannot be used.</exception>
    internal static (DeviceFacts Device, int Version) Require(IDriver driver, int index, Precision precision)
    {
        string name = $"cuda:{index}";
        try
        {
            int version = driver.Version();
            var devices = driver.Devices();
            if (devices.Count == 0) throw Unavailable(name, "the CUDA driver found no GPU: check that nvidia-smi lists one");
            if (index < 0 || index >= devices.Count) throw new DeviceUnavailableException($"{name} cannot be used: this machine has cuda:0 "
                + $"to cuda:{devices.Count - 1}.");
            string? problem = GpuRequirements.Problem(devices[index], version) ?? GpuRequirements.Problem(devices[index], precision);
            return problem is null ? (devices[index], version) : throw Unavailable($"{name} ({devices[index].Model})", problem);
        }
        catch (DriverException e)
        {
            throw Unavailable(name, e.Message);
        }
    }

    private static DeviceUnavailableException Unavailable(string name, string why) =>
        new($"{name} cannot be used: {why}, or use the CPU.");

    private static GpuInfo Describe(DeviceFacts device, int index, int version) =>
        new($"cuda:{index}", device.Model, device.MemoryBytes, device.Multiprocessors)
        {
            Capability = GpuRequirements.Capability(device),
            Cuda = GpuRequirements.Cuda(version),
            Ptx = PtxVersion.NewestOf(version).ToString(),
            BusId = device.BusId,
            Problem = GpuRequirements.Problem(device, version),
        };
}
