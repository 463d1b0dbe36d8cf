using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using Rpat.PtxMachine;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>A number or a view of a kernel's arguments.</summary>
/// <param name="Name">The fields that lead to it.</param>
/// <param name="Offset">First byte in the parameter block.</param>
/// <param name="Bytes">Its size; a view is an address and a length.</param>
internal sealed record ParameterField(string Name, Type Type, int Offset, int Bytes, Func<object, object> Get)
{
    public bool IsView => ParameterLayout.IsView(Type);
}

/// <summary>The struct of a kernel as C lays it out: fields in order, each at a multiple of its
/// alignment, views as an address and a length.</summary>
internal sealed class ParameterLayout
{
    private readonly List<ParameterField> _fields = [];

    private ParameterLayout(Type kernel) => (Bytes, Alignment) = Place(kernel, "", 0, instance => instance);

    /// <summary>The fields of all depths, in order.</summary>
    public IReadOnlyList<ParameterField> Fields => _fields;

    public int Bytes { get; }

    public int Alignment { get; }

    public static ParameterLayout Of(Type kernel) => new(kernel);

    /// <summary>The memory that a kernel is given.</summary>
    public IEnumerable<MemoryView> Views(object kernel) =>
        from field in _fields
        where field.IsView
        let view = (IContiguousArrayView)field.Get(kernel)
        where view.Length > 0
        select new MemoryView(view.Buffer.NativePtr + (nint)view.IndexInBytes, view.LengthInBytes, field.Name);

    internal static bool IsView(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>);

    private (int Bytes, int Alignment) Place(Type type, string name, int offset, Func<object, object> get)
    {
        var fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .OrderBy(field => field.MetadataToken).ToList();
        if (type.IsPrimitive || IsView(type) || fields.Count == 0)
        {
            int bytes = IsView(type) ? 2 * sizeof(long) : type == typeof(bool) || fields.Count == 0 ? 1 : Marshal.SizeOf(type);
            _fields.Add(new ParameterField(name, type, offset, bytes, get));
            return (bytes, Math.Min(bytes, sizeof(long)));
        }
        int end = offset, alignment = 1;
        foreach (var field in fields)
        {
            int own = AlignmentOf(field.FieldType), at = (end + own - 1) / own * own;
            end = at + Place(field.FieldType, $"{name}.{Said(field)}".TrimStart('.'), at, instance => field.GetValue(get(instance))!).Bytes;
            alignment = Math.Max(alignment, own);
        }
        return ((end - offset + alignment - 1) / alignment * alignment, alignment);
    }

    private static int AlignmentOf(Type type) => new ParameterLayout(type).Alignment;

    // The field of a primary constructor's parameter x is called <x>P.
    private static string Said(FieldInfo field) =>
        field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
}
