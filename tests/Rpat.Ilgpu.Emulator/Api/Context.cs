using System.Collections.Immutable;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace ILGPU
{
    /// <summary>The root object: knows the devices.</summary>
    public sealed partial class Context : IDisposable
    {
        private Context(IEnumerable<Device> devices) => Devices = [.. devices];

        /// <summary>The devices that the builder asked for.</summary>
        public ImmutableArray<Device> Devices { get; }

        /// <summary>Makes a context.</summary>
        public static Context Create(Action<Builder> buildingCallback)
        {
            var builder = new Builder();
            buildingCallback(builder);
            return new Context(builder.Devices);
        }

        /// <summary>The devices of a type.</summary>
        public DeviceCollection<TDevice> GetDevices<TDevice>()
            where TDevice : Device => new([.. Devices.OfType<TDevice>()]);

        /// <summary>One device of a type.</summary>
        public TDevice GetDevice<TDevice>(int deviceIndex)
            where TDevice : Device => GetDevices<TDevice>()[deviceIndex];

        /// <inheritdoc/>
        public void Dispose()
        {
        }

        /// <summary>What a context is to know.</summary>
        public sealed class Builder
        {
            internal Builder()
            {
            }

            internal List<Device> Devices { get; } = [];

            /// <summary>Level of optimisation; nothing to the emulator.</summary>
            public Builder Optimize(OptimizationLevel level) => this;
        }

        /// <summary>Devices of one type.</summary>
        public readonly ref struct DeviceCollection<TDevice>
            where TDevice : Device
        {
            private readonly List<Device> _devices;

            internal DeviceCollection(List<Device> devices) => _devices = devices;

            /// <summary>How many there are.</summary>
            public readonly int Count => _devices.Count;

            /// <summary>One of them.</summary>
            public readonly TDevice this[int deviceIndex] => deviceIndex < Count
                ? (TDevice)_devices[deviceIndex]
                : throw new NotSupportedException($"There is no device {deviceIndex} of this type.");

            /// <summary>All of them.</summary>
            public readonly Enumerator GetEnumerator() => new(_devices);

            /// <summary>Walks through devices.</summary>
            public ref struct Enumerator
            {
                private List<Device>.Enumerator _inner;

                internal Enumerator(List<Device> devices) => _inner = devices.GetEnumerator();

                /// <summary>The device it stands at.</summary>
                public TDevice Current => (TDevice)_inner.Current;

                /// <summary>Steps on.</summary>
                public bool MoveNext() => _inner.MoveNext();
            }
        }
    }

    /// <summary>How hard the compiler tries.</summary>
    public enum OptimizationLevel
    {
        /// <summary>Not at all.</summary>
        O0,

        /// <summary>As in a release build.</summary>
        O1,

        /// <summary>As hard as it can.</summary>
        O2,
    }
}

namespace ILGPU.Runtime.CPU
{
    /// <summary>The devices on which kernels run on the CPU: in the emulator the one that it emulates.</summary>
    public static class CPUContextExtensions
    {
        /// <summary>Asks for the device.</summary>
        public static Context.Builder CPU(this Context.Builder builder, CPUDeviceKind kind)
        {
            if (kind != CPUDeviceKind.Nvidia) throw new NotSupportedException("The emulator has warps of 32: ask for CPUDeviceKind.Nvidia.");
            builder.Devices.Add(new CPUDevice());
            return builder;
        }

        /// <summary>The device.</summary>
        public static CPUDevice GetCPUDevice(this Context context, int cpuDeviceIndex) => context.GetDevice<CPUDevice>(cpuDeviceIndex);

        /// <summary>The devices.</summary>
        public static Context.DeviceCollection<CPUDevice> GetCPUDevices(this Context context) => context.GetDevices<CPUDevice>();

        /// <summary>Opens the device.</summary>
        public static CPUAccelerator CreateCPUAccelerator(this Context context, int cpuDeviceIndex) =>
            context.GetCPUDevice(cpuDeviceIndex).CreateCPUAccelerator(context);
    }

    /// <summary>Which processor a CPU device resembles.</summary>
    public enum CPUDeviceKind
    {
        /// <summary>Warps of 4.</summary>
        Default = 0,

        /// <summary>Warps of 32.</summary>
        Nvidia = 1,
    }
}

namespace ILGPU.Runtime.Cuda
{
    /// <summary>CUDA devices: the emulator has none.</summary>
    public static class CudaContextExtensions
    {
        /// <summary>Asks for them.</summary>
        public static Context.Builder Cuda(this Context.Builder builder) => builder;

        /// <summary>The devices.</summary>
        public static Context.DeviceCollection<CudaDevice> GetCudaDevices(this Context context) => context.GetDevices<CudaDevice>();

        /// <summary>One device.</summary>
        public static CudaDevice GetCudaDevice(this Context context, int cudaDeviceIndex) => context.GetDevice<CudaDevice>(cudaDeviceIndex);

        /// <summary>Opens a device.</summary>
        public static CudaAccelerator CreateCudaAccelerator(this Context context, int cudaDeviceIndex) =>
            context.GetCudaDevice(cudaDeviceIndex).CreateCudaAccelerator(context);
    }
}
