using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Kernels;

namespace Rpat.Engine.Gpu;

public static partial class GpuBackend
{
    /// <summary>Compiles every kernel for an architecture, several at a time, each returned when it is done; this needs no GPU.</summary>
    /// <param name="major">Major number of the compute capability, 8 for sm_80.</param>
    /// <param name="minor">Minor number, 0 for sm_80.</param>
    /// <param name="extensions">Assemblies with losses of logits and scalar functions, in addition to the engine's own.</param>
    /// <returns>Their texts by name; without text, those with a struct that cannot be compiled.</returns>
    public static IEnumerable<PtxKernel> Compile(int major, int minor, params Assembly[] extensions) =>
        Named([.. KernelTypes(extensions)]).AsParallel().AsOrdered().WithMergeOptions(ParallelMergeOptions.NotBuffered)
            .Select(one => Tried(one.Kernel, new CudaArchitecture(major, minor)) with { Name = one.Name });

    /// <summary>The names of kernels, with the whole name of a struct whose own is that of several.</summary>
    internal static IEnumerable<(Type Kernel, string Name)> Named(IReadOnlyList<Type> kernels)
    {
        ILookup<string, Type> named = kernels.ToLookup(PtxKernel.NameOf);
        return kernels.Select(kernel => (kernel, PtxKernel.NameOf(kernel) is var name && named[name].Count() == 1 ? name
            : $"{name}-{Whole(kernel.GetGenericArguments()[^1]).Replace(' ', '-')}"));
    }

    /// <summary>Whether an assembly has structs that kernels are made of: losses of logits, functions of one number or of two.</summary>
    public static bool HasStructs(Assembly assembly) => assembly.GetTypes().Any(type => type.IsValueType
        && type.GetInterfaces().Any(kind => kind == typeof(IRowLoss) || kind == typeof(IElementwise) || kind == typeof(IBinary)));

    /// <summary>A kernel, which a struct in it may make one that no GPU can run.</summary>
    internal static PtxKernel Tried(Type kernel, CudaArchitecture architecture)
    {
        try
        {
            var compiled = Compile(kernel, architecture);
            return kernel.GetGenericArguments().FirstOrDefault(HoldsReferences) is { } own
                ? Refused(kernel, own, "it has a field that is no number") : compiled;
        }
        catch (InternalCompilerException error) when (kernel.GetGenericArguments() is [.., var own])
        {
            string why = error.GetBaseException().Message.TrimEnd('.');
            return Refused(kernel, own, FunctionPattern().Match(why) is { Success: true } call ? $"it calls {call.Groups[1]}" : why);
        }
    }

    private static string Whole(Type own) => $"{own} of {own.Assembly.GetName().Name}";

    private static bool HoldsReferences(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Any(field => !field.FieldType.IsValueType);

    private static PtxKernel Refused(Type kernel, Type own, string why) => new(PtxKernel.NameOf(kernel), "")
    {
        Refused = $"{Whole(own)} cannot be compiled for a GPU ({why}): a struct computes with + - * /, comparisons and the functions of IReal or "
            + "IRow, from numbers in its fields, and throws nothing."
    };

    // A function of Math in single precision ends in F.
    [GeneratedRegex(@"The function '(\w+?)F?' does not have an intrinsic")]
    private static partial Regex FunctionPattern();

    /// <summary>All kernels, by name; a kernel that is generic over words, views, tiles, losses or
    /// functions counts once for each.</summary>
    internal static IEnumerable<Type> KernelTypes(params Assembly[] extensions) =>
        from type in typeof(IKernel).Assembly.GetTypes()
        where type.IsValueType && typeof(IKernel).IsAssignableFrom(type)
        orderby type.Name
        from arguments in type.IsGenericTypeDefinition ? Arguments(type, [typeof(IRowLoss).Assembly, .. extensions]) : [[]]
        where !arguments.Contains(typeof(Mixed)) || !(arguments.Contains(typeof(Wide))
            || type == typeof(WeightGemm<>) || type == typeof(WeightTf32Gemm<>))
        select arguments.Length > 0 ? type.MakeGenericType(arguments) : type;

    /// <summary>All that a generic kernel's parameters may be.</summary>
    private static IEnumerable<Type[]> Arguments(Type kernel, Assembly[] assemblies)
    {
        IEnumerable<Type[]> all = [[]];
        foreach (var parameter in kernel.GetGenericArguments())
        {
            var wanted = parameter.GetGenericParameterConstraints().Single(c => c.IsInterface);
            Type[] found = [.. assemblies.Append(typeof(IWord).Assembly).Distinct().SelectMany(assembly => assembly.GetTypes())
                .Where(type => type.IsValueType && wanted.IsAssignableFrom(type) && (wanted != typeof(IStorage) || type != typeof(Tf32)))];
            all = [.. all.SelectMany(before => found, Type[] (before, one) => [.. before, one])];
        }
        return all;
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
