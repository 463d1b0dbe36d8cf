namespace Rpat.Training.Distributed;

/// <summary>A GPU's side stream, as NCCL needs it.</summary>
internal sealed class NcclGpu(SideStream stream) : INcclDevice
{
    public nint Stream => stream.Handle;

    public nint AddressOf(DeviceBuffer buffer) => stream.AddressOf(buffer);

    public void AfterCompute() => stream.AfterCompute();

    public void BeforeCompute() => stream.BeforeCompute();

    public void Dispose() => stream.Dispose();
}
