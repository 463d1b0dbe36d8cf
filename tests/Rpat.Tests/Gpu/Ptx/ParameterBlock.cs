using System.Reflection;
using System.Reflection.Emit;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.IL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.CPU;
using Rpat.Engine.Gpu.Primitives;
using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>A kernel's arguments as the bytes that ILGPU hands to the driver, by ILGPU's own code for it.</summary>
internal static class ParameterBlock<T> where T : struct, IKernel
{
    // Where ILGPU's launchers have the kernel's argument: behind the kernel, the stream and the configuration.
    private const int ArgumentIndex = 3;

    private static readonly Func<object?, object?, object?, T, byte[]> _bytes = Emit();

    /// <summary>The bytes of a launch.</summary>
    public static byte[] Of(in T kernel) => _bytes(null, null, null, kernel);

    private static Func<object?, object?, object?, T, byte[]> Emit()
    {
        var entry = typeof(Rpat.Engine.Gpu.Queues.Entry).GetMethod(nameof(Rpat.Engine.Gpu.Queues.Entry.Of))!.MakeGenericMethod(typeof(T));
        var point = new EntryPoint(EntryPointDescription.FromExplicitlyGroupedKernel(entry), default, default);
        Type[] arguments = [.. Enumerable.Repeat(typeof(object), ArgumentIndex), typeof(T)];
        var method = new DynamicMethod("Bytes", typeof(byte[]), arguments, typeof(ParameterBlocks).Module, skipVisibility: true);
        var emitter = new ILEmitter(method.GetILGenerator());
        var (block, size) = ParameterBlocks.Map(emitter, point);
        emitter.Emit(LocalOperation.LoadAddress, block);
        emitter.Emit(OpCodes.Conv_U);
        emitter.EmitConstant(size);
        emitter.EmitCall(typeof(ParameterBlocks).GetMethod(nameof(ParameterBlocks.Copy))!);
        emitter.Emit(OpCodes.Ret);
        return method.CreateDelegate<Func<object?, object?, object?, T, byte[]>>();
    }
}

/// <summary>What the blocks of all kernels share.</summary>
internal static class ParameterBlocks
{
    private static readonly Context _context = GpuDevice.Make(builder => builder.CPU(CPUDeviceKind.Nvidia));

    private static readonly Lock _lock = new();

    /// <summary>What ILGPU lays arguments out with before a launch on CUDA.</summary>
    private static readonly PTXArgumentMapper _mapper = new(_context);

    /// <summary>Writes the code that lays out a kernel's arguments; tests that run side by side do so one after another.</summary>
    public static (ILLocal Block, int Size) Map(ILEmitter emitter, EntryPoint point)
    {
        lock (_lock) return _mapper.Map(emitter, point);
    }

    /// <summary>The block of a kernel whose numbers are all 0 and whose views are empty.</summary>
    public static byte[] OfNothing<T>() where T : struct, IKernel => ParameterBlock<T>.Of(default);

    /// <summary>Copies the bytes of a block.</summary>
    public static byte[] Copy(nint address, int size)
    {
        byte[] bytes = new byte[size];
        Marshal.Copy(address, bytes, 0, size);
        return bytes;
    }
}
