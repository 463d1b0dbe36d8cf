using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Graphs;

/// <summary>Records a stream's work: on CUDA that of a GPU, in a test that of its own queue.</summary>
internal interface IGraphDriver
{
    /// <summary>From now on the stream records queued work instead of running it.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    void Begin(AcceleratorStream stream);

    /// <summary>Ends the recording that <see cref="Begin"/> started and prepares the result for launching.</summary>
    /// <exception cref="GraphException">The driver refuses; the stream no longer records.</exception>
    CapturedWork End(AcceleratorStream stream);

    /// <summary>Ends the recording that <see cref="Begin"/> started and discards it.</summary>
    void Abandon(AcceleratorStream stream);
}

/// <summary>Work could not be captured; the message gives the reason, as the end of a sentence.</summary>
internal sealed class GraphException(string message, bool isFinal) : Exception(message)
{
    /// <summary>Whether the driver refused, so that other work would fail as well.</summary>
    public bool IsFinal => isFinal;
}
