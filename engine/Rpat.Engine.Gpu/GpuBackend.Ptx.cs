using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Kernels;

namespace Rpat.Engine.Gpu;

public static partial class GpuBackend
{
    /// <summary>Compiles every kernel for an architecture; this needs no GPU.</summary>
    /// <param name="major">Major number of the compute capability, 8 for sm_80.</param>
    /// <param name="minor">Minor number, 0 for sm_80.</param>
    /// <param name="extensions">Assemblies with losses of logits and scalar functions, in addition to the engine's own.</param>
    public static IReadOnlyList<PtxKernel> Compile(int major, int minor, params Assembly[] extensions) =>
        [.. KernelTypes(extensions).Select(kernel => Compile(kernel, new CudaArchitecture(major, minor)))];

    /// <summary>All kernels, by name; a kernel that is generic over a word, a loss or a function counts once for each.</summary>
    internal static IEnumerable<Type> KernelTypes(params Assembly[] extensions) =>
        from type in typeof(IKernel).Assembly.GetTypes()
        where type.IsValueType && typeof(IKernel).IsAssignableFrom(type)
        orderby type.Name
        from made in type.IsGenericTypeDefinition ? Arguments(type, [typeof(IRowLoss).Assembly, .. extensions])
        .Select(argument => type.MakeGenericType(argument)) : [type]
        select made;

    private static IEnumerable<Type> Arguments(Type kernel, Assembly[] assemblies)
    {
        var constraints = kernel.GetGenericArguments()[0].GetGenericParameterConstraints();
        return constraints.FirstOrDefault(c => c == typeof(IRowLoss) || c == typeof(IElementwise) || c == typeof(IBinary)) is { } written
            ? assemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => type.IsValueType && written.IsAssignableFrom(type))
            : [typeof(Tf32), typeof(Bf16)];
    }

    // A separate context: after a kernel that fails to compile, others in the same context fail too.
    internal static PtxKernel Compile(Type kernel, CudaArchitecture architecture)
    {
        using var context = GpuDevice.Make(builder => builder.CPU(CPUDeviceKind.Nvidia));
        using var backend = new PTXBackend(context, architecture, new CudaInstructionSet(8, 6), null!);
        var entry = typeof(Entry).GetMethod(nameof(Entry.Of))!.MakeGenericMethod(kernel);
        var compiled = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(entry), default);
        return new PtxKernel(PtxKernel.NameOf(kernel), compiled.PTXAssembly);
    }
}
