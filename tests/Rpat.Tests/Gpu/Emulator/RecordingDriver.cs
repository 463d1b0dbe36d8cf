using ILGPU.Runtime;
using Rpat.Engine;
using Rpat.Engine.Gpu.Graphs;
using Rpat.Ilgpu.Emulator;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>A graph driver for the emulator, which counts what it is asked for and can refuse.</summary>
internal sealed class RecordingDriver : IGraphDriver
{
    /// <summary>What it did, in order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>The call that it refuses, or none.</summary>
    public string Refuses { get; init; } = "";

    /// <summary>Kernels and copies of each record.</summary>
    public List<int> Sizes { get; } = [];

    public void Begin(AcceleratorStream stream)
    {
        Note("begin");
        StreamRecord.Begin(stream);
    }

    public CapturedWork End(AcceleratorStream stream)
    {
        var record = StreamRecord.End(stream);
        Note("end");
        Sizes.Add(record.Count);
        return new Graph(this, record);
    }

    public void Abandon(AcceleratorStream stream)
    {
        Note("abandon");
        StreamRecord.End(stream);
    }

    private void Note(string call)
    {
        Calls.Add(call);
        if (call == Refuses) throw new GraphException($"the test's driver refuses to {call}", isFinal: true);
    }

    private sealed class Graph(RecordingDriver driver, StreamRecord record) : CapturedWork
    {
        public override void Launch()
        {
            driver.Note("launch");
            record.Launch();
        }

        protected override void Dispose(bool disposing) => driver.Note("dispose");
    }
}
