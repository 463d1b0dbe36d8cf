using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Graphs;

/// <summary>What a driver does to record a stream's work: CUDA's does it to a GPU's, a test's to its own queue's.</summary>
internal interface IGraphDriver
{
    /// <summary>From now on the stream records what is queued on it instead of running it.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    void Begin(AcceleratorStream stream);

    /// <summary>Ends what <see cref="Begin"/> began and prepares what was recorded for launching.</summary>
    /// <exception cref="GraphException">The driver refuses; the stream records no more.</exception>
    CapturedWork End(AcceleratorStream stream);

    /// <summary>Ends what <see cref="Begin"/> began and throws it away.</summary>
    void Abandon(AcceleratorStream stream);
}

/// <summary>Work could not be captured; the message says why, as the end of a sentence.</summary>
internal sealed class GraphException(string message, bool isFinal) : Exception(message)
{
    /// <summary>Whether it was the driver, so that no other work will fare better.</summary>
    public bool IsFinal => isFinal;
}
