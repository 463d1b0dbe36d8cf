using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Rpat.Ilgpu.Emulator;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>An open emulated device, with shorthands for tests of the emulator itself.</summary>
public sealed class EmulatedGpu : IDisposable
{
    private readonly Context _context = Context.Create(builder => builder.CPU(CPUDeviceKind.Nvidia));

    public EmulatedGpu()
    {
        Accelerator = _context.CreateCPUAccelerator(0);
        Stream = Accelerator.CreateStream();
    }

    public Accelerator Accelerator { get; }

    public AcceleratorStream Stream { get; }

    /// <summary>Device memory with these values.</summary>
    public ArrayView<T> Upload<T>(params T[] values)
        where T : unmanaged
    {
        var view = Allocate<T>(values.Length);
        view.CopyFromCPU(Stream, values);
        return view;
    }

    /// <summary>Device memory that nobody has written.</summary>
    public ArrayView<T> Allocate<T>(int length)
        where T : unmanaged => Accelerator.Allocate1D<T>(length).View.BaseView;

    /// <summary>Runs a kernel that must go wrong.</summary>
    public static string Fails(Action run) => Assert.Throws<EmulatorException>(run).Message;

    public void Dispose()
    {
        Stream.Dispose();
        Accelerator.Dispose();
        _context.Dispose();
    }
}
