using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU.Runtime
{
    /// <summary>Something that kernels run on.</summary>
    public abstract class Device
    {
        /// <summary>Its kind.</summary>
        public abstract AcceleratorType AcceleratorType { get; }

        /// <summary>Its name.</summary>
        public string Name { get; protected set; } = "<Unknown>";

        /// <summary>Bytes of memory.</summary>
        public long MemorySize { get; protected set; } = long.MaxValue;

        /// <summary>Threads of a warp.</summary>
        public int WarpSize { get; protected set; } = GroupRun.WarpSize;

        /// <summary>Processors.</summary>
        public int NumMultiprocessors { get; protected set; } = 2;

        /// <summary>Threads that a group may have.</summary>
        public int MaxNumThreadsPerGroup { get; protected set; } = Launch.MaxThreads;

        /// <summary>Threads that a processor holds.</summary>
        public int MaxNumThreadsPerMultiprocessor { get; protected set; } = Launch.MaxThreads;

        /// <summary>Bytes of shared memory that a group may have.</summary>
        public int MaxSharedMemoryPerGroup { get; protected set; } = SharedArena.StaticLimit;

        /// <summary>Opens the device.</summary>
        public abstract Accelerator CreateAccelerator(Context context);

        /// <inheritdoc/>
        public override string ToString() => Name;
    }

    /// <summary>The kind of an accelerator.</summary>
    public enum AcceleratorType
    {
        /// <summary>The CPU.</summary>
        CPU,

        /// <summary>An NVIDIA GPU.</summary>
        Cuda,

        /// <summary>An OpenCL device.</summary>
        OpenCL,
    }
}

namespace ILGPU.Runtime.CPU
{
    /// <summary>The emulated device.</summary>
    public sealed class CPUDevice : Device
    {
        internal CPUDevice() => Name = "Emulator";

        /// <inheritdoc/>
        public override AcceleratorType AcceleratorType => AcceleratorType.CPU;

        /// <summary>Opens the device.</summary>
        public CPUAccelerator CreateCPUAccelerator(Context context) => new(context, this);

        /// <inheritdoc/>
        public override Accelerator CreateAccelerator(Context context) => CreateCPUAccelerator(context);
    }

    /// <summary>The emulated device, opened.</summary>
    public sealed class CPUAccelerator : Accelerator
    {
        internal CPUAccelerator(Context context, Device device) : base(context, device)
        {
        }
    }
}

namespace ILGPU.Runtime.Cuda
{
    /// <summary>An NVIDIA GPU. The emulator never has one; the type is there for host code.</summary>
    public sealed class CudaDevice : Device
    {
        internal CudaDevice()
        {
        }

        /// <inheritdoc/>
        public override AcceleratorType AcceleratorType => AcceleratorType.Cuda;

        /// <summary>The driver's number of the device.</summary>
        public int DeviceId => 0;

        /// <summary>Bytes of shared memory of a processor.</summary>
        public int MaxSharedMemoryPerMultiprocessor { get; }

        /// <summary>Kilohertz of the processors.</summary>
        public int ClockRate { get; }

        /// <summary>Opens the device.</summary>
        public CudaAccelerator CreateCudaAccelerator(Context context) => new(context, this);

        /// <inheritdoc/>
        public override Accelerator CreateAccelerator(Context context) => CreateCudaAccelerator(context);
    }

    /// <summary>An NVIDIA GPU, opened.</summary>
    public sealed class CudaAccelerator : Accelerator
    {
        internal CudaAccelerator(Context context, Device device) : base(context, device)
        {
        }

        /// <summary>The device.</summary>
        public new CudaDevice Device => (CudaDevice)base.Device;

        /// <summary>The driver's number of the device.</summary>
        public int DeviceId => Device.DeviceId;
    }

    /// <summary>A queue of an NVIDIA GPU; the emulator's is always empty, since kernels run when they are launched.</summary>
    public sealed class CudaStream : AcceleratorStream
    {
        internal CudaStream(Accelerator accelerator) : base(accelerator)
        {
        }

        /// <summary>The driver's handle.</summary>
        public IntPtr StreamPtr => IntPtr.Zero;

        /// <inheritdoc/>
        public override void Synchronize() => Accelerator.ForbidWhileRecording("waits for a stream");
    }
}
