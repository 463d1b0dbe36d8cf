namespace Rpat.Training.Weights;

/// <summary>The device that a configuration names.</summary>
internal static class DeviceFactory
{
    private const string Cuda = "cuda:";

    /// <summary>What <c>auto</c> and other short names resolve to on this machine.</summary>
    /// <param name="name">As in <c>device.name</c>.</param>
    /// <param name="note">Receives a line on what was chosen.</param>
    /// <returns><c>cpu</c> or <c>cuda:N</c>.</returns>
    public static string Settle(string name, Action<string> note)
    {
        if (name == "cuda") return Cuda + "0";
        if (name != "auto") return name;
        var gpu = GpuBackend.First();
        note(gpu is not null ? $"device: {gpu.Name}, {gpu.Model}" : "device: cpu, since there is no GPU that can be used ('rpat devices' "
            + "says why)");
        return gpu?.Name ?? "cpu";
    }

    /// <exception cref="DeviceException">There is no such device on this machine, or this build does not support it.</exception>
    public static Device For(TrainerConfig config) =>
        Named(config.Device.Name, config.Device.Precision, config.Run.Threads, config.Device.Convolution);

    /// <summary>
    /// Opens <c>cpu</c> or <c>cuda:N</c>; <c>cuda</c> is the first GPU, <c>auto</c> is the first GPU if there is one, otherwise the CPU. In
    /// bf16 the CPU emulates the rounding of a GPU.
    /// </summary>
    /// <exception cref="DeviceException">There is no such device on this machine, or this build does not support it.</exception>
    public static Device Named(string name, string precision, int threads = 0, ConvolutionAlgorithm convolution = ConvolutionAlgorithm.Auto)
    {
        name = Settle(name, static _ => { });
        if (name == "cpu") return precision == "bf16" ? GpuBackend.EmulateBf16(threads, convolution) : Device.Cpu(threads, convolution);
        string number = name.StartsWith(Cuda, StringComparison.Ordinal) ? name[Cuda.Length..] : "";
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
            throw new DeviceException($"device {name} is unknown: use cpu, cuda:0 for the first GPU, or auto.");
        try
        {
            return GpuBackend.Open(index, Enum.Parse<Precision>(precision, ignoreCase: true));
        }
        catch (DeviceUnavailableException e)
        {
            throw new DeviceException(e.Message, e);
        }
    }
}
