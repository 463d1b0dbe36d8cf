using System.Globalization;
using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Training;

/// <summary>The device that a configuration names.</summary>
internal static class OpenDevice
{
    private const string Cuda = "cuda:";

    /// <exception cref="DeviceException">There is no such device on this machine, or not in this build.</exception>
    public static Device For(TrainerConfig config)
    {
        string name = config.Device.Name;
        if (!name.StartsWith(Cuda, StringComparison.Ordinal)) return Device.Cpu(config.Run.Threads, config.Device.Convolution);
        try
        {
            int index = int.Parse(name.AsSpan(Cuda.Length), NumberStyles.None, CultureInfo.InvariantCulture);
            return GpuBackend.Open(index, Enum.Parse<Precision>(config.Device.Precision, ignoreCase: true));
        }
        catch (DeviceUnavailableException e)
        {
            throw new DeviceException(e.Message, e);
        }
    }
}
