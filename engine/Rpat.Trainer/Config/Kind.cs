using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Config;

/// <summary>A kind of value: how its text becomes a <typeparamref name="T"/>.</summary>
/// <param name="Convert">Converts; a <see cref="FormatException"/> ends the sentence "KEY is 'TEXT' (WHERE): …".</param>
/// <param name="IsList">Whether a YAML list may stand there.</param>
internal sealed record Kind<T>(Func<string, T> Convert, bool IsList = false)
{
    /// <summary>The kind in JSON Schema's words; any text where nothing more is known.</summary>
    public Func<JsonObject> Schema { get; init; } = static () => new JsonObject { ["type"] = "string" };

    /// <summary>The names that may stand there; empty where they cannot be listed.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];
}

/// <summary>The kinds of values that keys take.</summary>
internal static partial class Kinds
{
    /// <summary>Any text, the empty one included.</summary>
    public static Kind<string> Text { get; } = new(text => text);

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static Kind<bool> Flag { get; } = new(text => text.Trim().ToLowerInvariant() switch
    {
        "true" => true,
        "false" => false,
        _ => throw new FormatException("it wants true or false"),
    })
    {
        Schema = static () => new JsonObject { ["type"] = "boolean" },
        Names = ["true", "false"],
    };

    /// <summary>A length in pixel units of images in [0,1]; a bare number above 1 is taken for a forgotten <c>/255</c>.</summary>
    public static Kind<double> Pixels { get; } = new(text =>
    {
        double value = ReadReal(text, 0, double.MaxValue);
        if (value > 1 && !Numbers.IsFraction(text))
        {
            throw new FormatException($"images lie in [0,1], so write {text.Trim()}/255 if that is what is meant");
        }

        return value;
    })
    {
        Schema = static () => NumberOrFraction(0, double.MaxValue),
    };

    /// <summary>A part of a folder's name: letters, digits and <c>. _ + -</c>, or empty.</summary>
    public static Kind<string> FolderName { get; } = new(text => FolderPattern().IsMatch(text)
        ? text
        : throw new FormatException("it becomes part of a folder's name and may hold letters, digits and . _ + - only, at most 100"));

    /// <summary><c>cpu</c>, <c>cuda:</c> and a number, <c>cuda</c> for the first GPU, or <c>auto</c>.</summary>
    public static Kind<string> Device { get; } = new(text => DevicePattern().IsMatch(text)
        ? text
        : throw new FormatException(text.StartsWith("opencl", StringComparison.Ordinal)
            ? "GPUs are used by CUDA only, since the kernels are compiled to NVIDIA's PTX: give cpu, cuda:0 for the first GPU, or auto"
            : "it wants cpu, cuda:0 for the first GPU, or auto for a GPU where there is one"));

    /// <summary>A whole number within limits.</summary>
    public static Kind<int> Whole(int least, int most = int.MaxValue) => new(text => (int)ReadWhole(text, least, most))
    {
        Schema = () => Integer(least, most),
    };

    /// <summary>A whole number of 64 bits, not negative.</summary>
    public static Kind<long> Seed { get; } = new(text => ReadWhole(text, 0, long.MaxValue))
    {
        Schema = static () => Integer(0, int.MaxValue),
    };

    /// <summary>A real number within limits, both included.</summary>
    public static Kind<double> Real(double least, double most = double.MaxValue) => new(text => ReadReal(text, least, most))
    {
        Schema = () => NumberOrFraction(least, most),
    };

    /// <summary>One of a few names, each standing for a value.</summary>
    /// <param name="plural">What the names are called in an error, such as <c>models</c>.</param>
    public static Kind<T> OneOf<T>(string plural, params (string Name, T Value)[] choices) => new(text =>
    {
        int index = Array.FindIndex(choices, choice => choice.Name == text);
        return index >= 0 ? choices[index].Value : throw new FormatException(Nearest.Hint(text, [.. choices.Select(c => c.Name)], plural));
    })
    {
        Schema = () => new JsonObject { ["enum"] = new JsonArray([.. choices.Select(choice => (JsonNode)choice.Name)]) },
        Names = [.. choices.Select(choice => choice.Name)],
    };

    /// <summary>One of the names in a list.</summary>
    public static Kind<string> Name(string plural, IEnumerable<string> names) => OneOf(plural, [.. names.Select(name => (name, name))]);

    /// <summary>A list of values, written as a YAML list or separated by commas; it may be empty.</summary>
    public static Kind<IReadOnlyList<T>> ListOf<T>(Kind<T> item) => new(
        text => [.. Entry.Items(text).Select(item.Convert)],
        IsList: true)
    {
        Schema = () => AnyOf(new JsonObject { ["type"] = "array", ["items"] = item.Schema() }, new JsonObject { ["type"] = "string" }, item.Schema()),
    };

    // '8/255' is a number here, and '1e-4' is one that some readers of YAML take for text.
    private static JsonObject NumberOrFraction(double least, double most) => AnyOf(
        Limited(new JsonObject { ["type"] = "number" }, least, most < double.MaxValue ? most : null),
        new JsonObject { ["type"] = "string", ["pattern"] = @"^\s*[-+.0-9eE]+\s*(/\s*[-+.0-9eE]+\s*)?$" });

    private static JsonObject Integer(long least, long most) => Limited(new JsonObject { ["type"] = "integer" }, least, most < int.MaxValue ? most : null);

    private static JsonObject Limited(JsonObject kind, double least, double? most)
    {
        kind["minimum"] = least;
        if (most is { } limit) kind["maximum"] = limit;
        return kind;
    }

    private static JsonObject AnyOf(params JsonNode[] kinds) => new() { ["anyOf"] = new JsonArray(kinds) };

    private static long ReadWhole(string text, long least, long most) =>
        Numbers.TryWhole(text, out long value) && value >= least && value <= most
            ? value
            : throw new FormatException($"it wants a whole number {Limits(least, most, most >= int.MaxValue)}");

    private static double ReadReal(string text, double least, double most) =>
        Numbers.TryReal(text, out double value) && value >= least && value <= most
            ? value
            : throw new FormatException($"it wants a number {Limits(least, most, most == double.MaxValue)}, such as 0.1, 1e-4 or 8/255");

    private static string Limits<T>(T least, T most, bool open) =>
        open ? FormattableString.Invariant($"of at least {least}") : FormattableString.Invariant($"from {least} to {most}");

    [GeneratedRegex(@"^[A-Za-z0-9._+-]{0,100}\z")]
    private static partial Regex FolderPattern();

    [GeneratedRegex(@"^(cpu|auto|cuda(:[0-9]{1,3})?)\z")]
    private static partial Regex DevicePattern();
}
