using Rpat.Engine.Gpu.Driver;

namespace Rpat.Engine.Gpu;

public static partial class GpuBackend
{
    /// <summary>A GPU exception's meaning for the user, in one sentence; null for an exception of another origin.</summary>
    public static string? Explain(Exception error) => error switch
    {
        DeviceUnavailableException => error.Message,
        DriverException => $"The GPU cannot go on, since {error.Message}.",
        ILGPU.Runtime.Cuda.CudaException cuda => $"The GPU cannot go on, since its driver answers {cuda.Error} "
            + $"({cuda.Message.TrimEnd('.')}): run 'rpat devices' with its self-test, and resume the training.",
        _ => null,
    };
}
