using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Engine;

/// <summary>The backend that comes with the engine.</summary>
public static class CpuBackend
{
    extension(Device)
    {
        /// <summary>The CPU backend.</summary>
        /// <param name="threads">Threads to use, at most 1024; 0 means one per core. Results do not depend on it.</param>
        public static Device Cpu(int threads = 0, ConvolutionAlgorithm convolution = ConvolutionAlgorithm.Auto) =>
            new CpuDevice(threads, convolution);
    }
}
