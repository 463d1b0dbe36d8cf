using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Driver;

namespace Rpat.Engine.Gpu.Graphs;

/// <summary>CUDA graphs through the driver's own functions, which ILGPU does not bind (architecture.md, The GPU backend).</summary>
internal sealed class CudaGraphs(Accelerator accelerator) : IGraphDriver
{
    /// <summary>Does not restrict other threads during capture: a finalizer may free memory at any time.</summary>
    private const int RelaxedMode = 2;

    public void Begin(AcceleratorStream stream)
    {
        accelerator.Bind();
        Check(nameof(CudaDriver.cuStreamBeginCapture_v2), () => CudaDriver.cuStreamBeginCapture_v2(Handle(stream), RelaxedMode));
    }

    public CapturedWork End(AcceleratorStream stream)
    {
        nint graph = 0, executable = 0;
        Check(nameof(CudaDriver.cuStreamEndCapture), () => CudaDriver.cuStreamEndCapture(Handle(stream), out graph));
        try
        {
            Check(nameof(CudaDriver.cuGraphInstantiateWithFlags), () => CudaDriver.cuGraphInstantiateWithFlags(out executable, graph, 0));
        }
        finally
        {
            CudaDriver.cuGraphDestroy(graph); // the executable has its own copy
        }
        return new CudaGraph(accelerator, Handle(stream), executable);
    }

    public void Abandon(AcceleratorStream stream)
    {
        // A capture that an error has invalidated must still be ended; its graph is then null.
        if (CudaDriver.cuStreamEndCapture(Handle(stream), out nint graph) == 0 && graph != 0) CudaDriver.cuGraphDestroy(graph);
    }

    private static nint Handle(AcceleratorStream stream) => ((CudaStream)stream).StreamPtr;

    private static void Check(string function, Func<int> call)
    {
        try
        {
            int code = call();
            if (code != 0) throw new GraphException($"the driver answers {CudaDriver.Name(code)} to {function}", isFinal: true);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new GraphException($"the driver has no {function} ({e.Message.ReplaceLineEndings(" ")})", isFinal: true);
        }
    }
}

/// <summary>An instantiated graph.</summary>
internal sealed class CudaGraph(Accelerator accelerator, nint stream, nint executable) : CapturedWork
{
    private nint _executable = executable;

    public override void Launch()
    {
        ObjectDisposedException.ThrowIf(_executable == 0, this);
        accelerator.Bind();
        int code = CudaDriver.cuGraphLaunch(_executable, stream);
        if (code != 0) throw new DriverException($"its driver answers {CudaDriver.Name(code)} to the launch of a recorded step");
    }

    protected override void Dispose(bool disposing)
    {
        if (_executable == 0) return;
        accelerator.Bind();
        CudaDriver.cuGraphExecDestroy(_executable); // work already queued still completes
        _executable = 0;
    }
}
