using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Graphs;

/// <summary>Notes kernels and copies instead of running them while it records, and refuses what a driver would.</summary>
internal sealed class RecordingQueue(IWorkQueue queue) : IWorkQueue
{
    private List<Action>? _record;

    public MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words)
    {
        Forbid("allocates memory");
        return queue.Allocate(words);
    }

    public void Clear(ArrayView<float> target) => Do(() => queue.Clear(target));

    public void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged => Do(() => queue.Copy(source, target));

    public Action<KernelConfig, T> Load<T>() where T : struct, IKernel
    {
        Forbid("compiles a kernel");
        var launch = queue.Load<T>();
        return (config, kernel) => Do(() => launch(config, kernel));
    }

    public void Begin()
    {
        Forbid("begins a record");
        _record = [];
    }

    /// <summary>What was queued since <see cref="Begin"/>, in order.</summary>
    public IReadOnlyList<Action> End()
    {
        var record = _record ?? throw new InvalidOperationException("The test's queue records nothing that could end.");
        _record = null;
        return record;
    }

    private void Do(Action work)
    {
        if (_record is null) work();
        else _record.Add(work);
    }

    private void Forbid(string what)
    {
        if (_record is not null) throw new InvalidOperationException($"The work {what} while the test's queue records.");
    }
}
