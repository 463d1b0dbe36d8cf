using System.Collections.Concurrent;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Ptx;
using Rpat.PtxMachine;
using Rpat.Robust.Losses;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>The texts of the backend's kernels, compiled as for a GPU when they are asked for, once per process.</summary>
internal static class KernelPrograms
{
    private static readonly ConcurrentDictionary<(Type, int), Lazy<PtxKernel>> _texts = [];
    private static readonly ConcurrentDictionary<Type, Lazy<PtxProgram>> _programs = [];

    /// <summary>All kernels, each instance of a generic one for itself.</summary>
    public static IReadOnlyList<Type> Types { get; } = [.. GpuBackend.KernelTypes(typeof(RpatLoss).Assembly, typeof(Silu).Assembly)];

    /// <summary>The text for a compute capability, 80 for sm_80.</summary>
    public static PtxKernel Text(Type kernel, int architecture = 80) => _texts.GetOrAdd((kernel, architecture),
        key => new(() => GpuBackend.Compile(key.Item1, new CudaArchitecture(key.Item2 / 10, key.Item2 % 10)))).Value;

    /// <summary>The program of the text for sm_80; those of later GPUs have the same text.</summary>
    public static PtxProgram Of(Type kernel) => _programs.GetOrAdd(kernel, key => new(() => Parse(Text(key)))).Value;

    /// <summary>The program of a text.</summary>
    public static PtxProgram Parse(PtxKernel kernel) => PtxProgram.Parse(kernel.Name, kernel.Text);
}
