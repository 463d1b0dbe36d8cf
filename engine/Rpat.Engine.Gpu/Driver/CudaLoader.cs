using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>Compiles kernels with ILGPU and loads them into the driver.</summary>
internal sealed class CudaLoader(CudaAccelerator accelerator, AcceleratorStream stream, string device) : IKernelLoader
{
    public (nint Function, Action<KernelConfig, T> Queue) Load<T>(Action<string> check) where T : struct, IKernel
    {
        var entry = EntryPointDescription.FromExplicitlyGroupedKernel(((Action<T>)Entry.Of).Method);
        var compiled = (PTXCompiledKernel)accelerator.CompileKernel(entry);
        check(compiled.PTXAssembly);
        try
        {
            var kernel = (CudaKernel)accelerator.LoadKernel(compiled);
            // The delegate keeps the kernel alive: the accelerator holds only a weak reference.
            var launch = kernel.CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, T>>();
            return (kernel.FunctionPtr, (config, arguments) => launch(stream, config, arguments));
        }
        catch (CudaException e)
        {
            throw new DeviceUnavailableException(
                $"The driver of {device} refuses kernel {PtxKernel.NameOf(typeof(T))} with {e.Error}: update NVIDIA's driver, or report it "
                    + "with the output of 'rpat devices'.", e);
        }
    }
}
