using System.Text.RegularExpressions;
using Rpat.Robust.Methods;
using Rpat.Robust.Settings;

namespace Rpat.Training.Config;

/// <summary>A number of images, or below 1 a share of them.</summary>
internal sealed class HeldOutKind(double min, double max) : RealKind(typeof(double), min, max)
{
    public override object? Parse(string text) =>
        Numbers.TryReal(text, out double value) && value >= 0 && (value < 1 || value == Math.Truncate(value) && value <= int.MaxValue)
            ? value
            : throw new FormatException("it wants a number of images such as 1000, or a share below 1 such as 0.02");
}

/// <summary>A part of a folder's name: letters, digits and <c>. _ + -</c>, or empty.</summary>
internal sealed partial class FolderNameKind : TextKind
{
    public override object? Parse(string text) => FolderPattern().IsMatch(text)
        ? text
        : throw new FormatException("it becomes part of a folder's name and may hold letters, digits and . _ + - only, at most 100");

    [GeneratedRegex(@"^[A-Za-z0-9._+-]{0,100}\z")]
    private static partial Regex FolderPattern();
}

/// <summary><c>cpu</c>, <c>cuda:</c> and a number, <c>cuda</c> for the first GPU, or <c>auto</c>.</summary>
internal sealed partial class DeviceKind : TextKind
{
    public override object? Parse(string text) => DevicePattern().IsMatch(text)
        ? text
        : throw new FormatException(text.StartsWith("opencl", StringComparison.Ordinal)
            ? "GPUs are used by CUDA only, since the kernels are compiled to NVIDIA's PTX: give cpu, cuda:0 for the first GPU, or auto"
            : "it wants cpu, cuda:0 for the first GPU, or auto for a GPU where there is one");

    [GeneratedRegex(@"^(cpu|auto|cuda(:[0-9]{1,3})?)\z")]
    private static partial Regex DevicePattern();
}

/// <summary>How a GPU's convolutions round their factors.</summary>
internal sealed class PrecisionKind : NameKind
{
    public override IReadOnlyList<string> Names { get; } = ["fp32", "tf32", "bf16"];
}

/// <summary>A kind whose values are names that people type.</summary>
internal interface INamesKind
{
    /// <summary>The names.</summary>
    KnownNames Known { get; }
}

/// <summary>A training method's name.</summary>
internal sealed class MethodKind : NameKind, INamesKind
{
    public override IReadOnlyList<string> Names => MethodCatalog.Names;

    public KnownNames Known => CatalogNames.Methods;
}

/// <summary>A recipe's name; a run may be older than the recipes, so that any text is one.</summary>
internal sealed class RecipeKind : TextKind, INamesKind
{
    public KnownNames Known => CatalogNames.Recipes;
}

/// <summary>One of a few names.</summary>
internal abstract class NameKind : TextKind
{
    public override object? Parse(string text) =>
        Names.Contains(text) ? text : throw new FormatException($"it wants one of {string.Join(", ", Names)}");

    public override System.Text.Json.Nodes.JsonObject Schema() =>
        new() { ["enum"] = new System.Text.Json.Nodes.JsonArray([.. Names.Select(name => (System.Text.Json.Nodes.JsonNode)name)]) };
}

/// <summary>
/// A data set's name, or the user's own file or folder. A wrong name is found before anything is done; a file's content is checked when it
/// is read.
/// </summary>
internal sealed class DataSetKind : TextKind, INamesKind
{
    public KnownNames Known => DataSets.Names;

    public override object? Parse(string text) => Known.Match(text) ?? throw new FormatException(Known.Hint(text, isValue: true));
}

/// <summary>A network's name.</summary>
internal class ModelKind : TextKind, INamesKind
{
    public KnownNames Known => CatalogNames.Models;

    public override object? Parse(string text) => Known.Match(text) ?? throw new FormatException(Known.Hint(text, isValue: true));
}

/// <summary>A network's name, or nothing.</summary>
internal sealed class OptionalModelKind : ModelKind
{
    public override object? Parse(string text) => text.Length == 0 ? text : base.Parse(text);
}

/// <summary>A name of the attack catalog.</summary>
internal sealed class EvalAttackKind : ValueKind, INamesKind
{
    public KnownNames Known => CatalogNames.Attacks;

    public override object? Parse(string text) => Known.Match(text) is { } name
        ? new EvalAttack(name)
        : throw new FormatException($"'{text}' is no attack; {Known.Hint(text)}");

    public override string Write(object? value) => ((EvalAttack)value!).Name;
}
