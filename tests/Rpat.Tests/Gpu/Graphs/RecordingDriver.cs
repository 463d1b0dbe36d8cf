using ILGPU.Runtime;
using Rpat.Engine.Gpu.Graphs;
using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Graphs;

/// <summary>A graph driver for one device of the tests, which counts what it is asked for and can refuse.</summary>
internal sealed class RecordingDriver : IGraphDriver
{
    private RecordingQueue _queue = null!;

    /// <summary>What it did, in order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>The call that it refuses, or none.</summary>
    public string Refuses { get; init; } = "";

    /// <summary>Kernels and copies of each record.</summary>
    public List<int> Sizes { get; } = [];

    /// <summary>Puts itself between the backend and its queue.</summary>
    public IWorkQueue Through(IWorkQueue queue) => _queue = new RecordingQueue(queue);

    public void Begin(AcceleratorStream stream)
    {
        Note("begin");
        _queue.Begin();
    }

    public CapturedWork End(AcceleratorStream stream)
    {
        var record = _queue.End();
        Note("end");
        Sizes.Add(record.Count);
        return new Graph(this, record);
    }

    public void Abandon(AcceleratorStream stream)
    {
        Note("abandon");
        _queue.End();
    }

    private void Note(string call)
    {
        Calls.Add(call);
        if (call == Refuses) throw new GraphException($"the test's driver refuses to {call}", isFinal: true);
    }

    private sealed class Graph(RecordingDriver driver, IReadOnlyList<Action> record) : CapturedWork
    {
        public override void Launch()
        {
            driver.Note("launch");
            foreach (var work in record) work();
        }

        protected override void Dispose(bool disposing) => driver.Note("dispose");
    }
}
