namespace Rpat.Distributed.Nccl;

/// <summary>What NCCL needs from a GPU: addresses, and a stream beside the one that computes.</summary>
public interface INcclDevice : IDisposable
{
    /// <summary>The communication stream (cudaStream_t).</summary>
    nint Stream { get; }

    /// <summary>The device address of a buffer.</summary>
    nint AddressOf(DeviceBuffer buffer);

    /// <summary>What is queued for communication from now on waits for the kernels queued so far.</summary>
    void AfterCompute();

    /// <summary>Kernels queued from now on wait for the communication queued so far.</summary>
    void BeforeCompute();
}
