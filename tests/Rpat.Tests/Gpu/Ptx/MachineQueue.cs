using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Queues;
using Rpat.PtxMachine;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>Runs the backend's kernels as PTX, at once; memory is that of ILGPU's CPU accelerator.</summary>
/// <param name="memory">Where memory comes from.</param>
/// <param name="programs">What runs for a kernel; by default its text as compiled.</param>
internal sealed class MachineQueue(IWorkQueue memory, Func<Type, PtxProgram>? programs = null) : IWorkQueue
{
    private static readonly MachineOptions _counting = new(), _quick = new() { CountTraffic = false };

    private readonly GlobalMemory _global = new();
    private readonly Dictionary<nint, MemoryBuffer> _blocks = []; // a block that was freed no longer knows its address

    /// <summary>Is told what each launch executed.</summary>
    public Action<LaunchReport>? Reported { get; set; }

    /// <summary>Whether what a launch costs in memory is counted.</summary>
    public Func<bool>? CountsTraffic { get; set; }

    public MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words)
    {
        ForgetFreed(); // the new block may lie where an old one did
        var block = memory.Allocate(words);
        _blocks.Add(block.NativePtr, block);
        _global.Register(block.NativePtr, block.LengthInBytes, $"a buffer of {words} words");
        return block;
    }

    public void Clear(ArrayView<float> target)
    {
        memory.Clear(target);
        MarkWritten(target);
    }

    public void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged
    {
        memory.Copy(source, target);
        if (target.Length > 0)
            _global.MarkCopied(source.LoadEffectiveAddressAsPtr(), target.LoadEffectiveAddressAsPtr(), target.LengthInBytes);
    }

    public Action<KernelConfig, T> Load<T>() where T : struct, IKernel
    {
        var program = (programs ?? KernelPrograms.Of)(typeof(T));
        var layout = ParameterLayout.Of(typeof(T));
        var machine = new Machine(_global);
        return (config, kernel) =>
        {
            ForgetFreed();
            machine.Options = CountsTraffic?.Invoke() == true ? _counting : _quick;
            var report = machine.Launch(program, ParameterBlock<T>.Of(kernel), Shape(config), [.. layout.Views(kernel)]);
            Reported?.Invoke(report);
        };
    }

    private static LaunchShape Shape(in KernelConfig config)
    {
        Index3D grid = config.GridDim, group = config.GroupDim;
        return new LaunchShape(grid.X, grid.Y, grid.Z, group.X, group.Y, group.Z, config.SharedMemoryConfig.ArraySize);
    }

    private void MarkWritten<T>(ArrayView<T> view) where T : unmanaged
    {
        if (view.Length > 0) _global.MarkWritten(view.LoadEffectiveAddressAsPtr(), view.LengthInBytes);
    }

    private void ForgetFreed()
    {
        foreach (nint address in _blocks.Where(pair => pair.Value.IsDisposed).Select(pair => pair.Key).ToList())
        {
            _global.Unregister(address);
            _blocks.Remove(address);
        }
    }
}
