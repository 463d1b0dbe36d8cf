using System.Text.RegularExpressions;

namespace Rpat.PtxMachine.Text;

/// <summary>Where the parameters and the shared arrays of a kernel lie.</summary>
internal sealed partial class Layout
{
    public const string Dynamic = "__dyn_shared_alloca";

    private readonly Dictionary<string, (int At, int Bytes)> _parameters = [];
    private readonly List<SharedArray> _shared = [];
    private int _placed;

    public int ParameterBytes { get; private set; }

    /// <summary>Bytes of the static shared arrays, one behind the other.</summary>
    public int StaticBytes { get; private set; }

    public bool UsesDynamic { get; private set; }

    /// <summary>First byte of the dynamic array in the machine's shared memory.</summary>
    public int DynamicAt => (_placed + 15) & ~15;

    /// <summary>Lays out what the parentheses of an entry declare.</summary>
    public bool TryAddParameters(string entry)
    {
        foreach (Match match in ParameterPattern().Matches(entry))
        {
            if (!PtxType.TryParse(match.Groups["type"].Value, out var type)) return false;
            int bytes = type.Bytes * (match.Groups["count"].Success ? Number(match, "count") : 1);
            int align = match.Groups["align"].Success ? Number(match, "align") : type.Bytes;
            int at = (ParameterBytes + align - 1) & -align;
            _parameters[match.Groups["name"].Value] = (at, bytes);
            ParameterBytes = at + bytes;
        }
        return _parameters.Count == WordPattern().Count(entry);
    }

    /// <summary>Places a shared array; false if the directive is not one.</summary>
    public bool TryAddShared(string directive)
    {
        var match = SharedPattern().Match(directive);
        if (!match.Success || !PtxType.TryParse(match.Groups["type"].Value, out var type)) return false;
        string name = match.Groups["name"].Value;
        if (match.Groups["extern"].Success) return UsesDynamic = name == Dynamic;
        int bytes = type.Bytes * (match.Groups["count"].Success ? Number(match, "count") : 1);
        Place(name, bytes, match.Groups["align"].Success ? Number(match, "align") : type.Bytes);
        return true;
    }

    public bool TryParameter(string name, long displacement, int bytes, out int at)
    {
        bool found = _parameters.TryGetValue(name, out var parameter);
        at = parameter.At + (int)displacement;
        return found && displacement >= 0 && displacement + bytes <= parameter.Bytes;
    }

    public bool TryShared(string name, out int at)
    {
        at = name == Dynamic ? DynamicAt : _shared.Find(array => array.Name == name).At;
        return (name == Dynamic && UsesDynamic) || _shared.Exists(array => array.Name == name);
    }

    /// <summary>Says where a byte of shared memory lies.</summary>
    public string Describe(long at, int dynamicBytes)
    {
        foreach (var array in _shared)
            if (at >= array.At && at < array.At + array.Bytes) return Words(at - array.At, array.Bytes, array.Name);
        bool dynamic = UsesDynamic && at >= DynamicAt && at < DynamicAt + dynamicBytes;
        return dynamic ? Words(at - DynamicAt, dynamicBytes, Dynamic) : $"byte {at} of shared memory";
    }

    // No array is aligned better than its declaration asks, so that code which relies on luck fails.
    private void Place(string name, int bytes, int align)
    {
        int at = (_placed + align - 1) & -align;
        if (align < 16 && at % (2 * align) == 0) at += align;
        _shared.Add(new SharedArray(name, at, bytes));
        _placed = at + bytes;
        StaticBytes = ((StaticBytes + align - 1) & -align) + bytes;
    }

    private static string Words(long at, int bytes, string name) => $"byte {at} of the {bytes} bytes of {name}";

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private readonly record struct SharedArray(string Name, int At, int Bytes);

    [GeneratedRegex(@"\.param (\.align (?<align>\d+) )?\.(?<type>\w+) (\.ptr (\.\w+ )?(\.align \d+ )?)?"
        + @"(?<name>[\w$%]+)(\[(?<count>\d+)\])?")]
    private static partial Regex ParameterPattern();

    [GeneratedRegex(@"\.param\b")]
    private static partial Regex WordPattern();

    [GeneratedRegex(@"^(?<extern>\.extern )?\.shared (\.align (?<align>\d+) )?\.(?<type>\w+) (?<name>[\w$]+)( ?\[(?<count>\d+)?\])?$")]
    private static partial Regex SharedPattern();
}
