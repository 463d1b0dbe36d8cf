namespace Rpat.Engine.Gpu;

/// <summary>A GPU that this build can use.</summary>
/// <param name="Name">What <c>--device</c> takes, for instance <c>cuda:0</c>.</param>
/// <param name="Model">The maker's name of it.</param>
/// <param name="MemoryBytes">Its memory.</param>
/// <param name="Multiprocessors">Its processors.</param>
public sealed record GpuInfo(string Name, string Model, long MemoryBytes, int Multiprocessors);
