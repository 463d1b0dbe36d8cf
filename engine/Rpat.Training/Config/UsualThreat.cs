using Rpat.Robust.Settings;

namespace Rpat.Training.Config;

/// <summary>The radius and the step that are usual in a norm: those of the recipes' threat models.</summary>
internal static class UsualThreat
{
    /// <summary>The radius as text, such as <c>8/255</c>.</summary>
    public static string Eps(Norm norm) => Of(norm)[ConfigKeys.Of(c => c.Attack.Eps).Path].Text;

    /// <summary>The radius.</summary>
    public static double Radius(Norm norm) => Number(Eps(norm));

    /// <summary>The length of a step, as a share of the radius.</summary>
    public static double StepShare(Norm norm) => Number(Of(norm)[ConfigKeys.Of(c => c.Attack.Step).Path].Text) / Radius(norm);

    /// <summary>The radii of all norms, for a description: <c>8/255, 128/255 for l2</c>.</summary>
    public static string Radii { get; } =
        string.Join(", ", Norm.All.Select(norm => norm == Norm.Linf ? Eps(norm) : $"{Eps(norm)} for {norm.Name}"));

    /// <summary>Whether a length is one of images in [0,1]: a bare number above 1 is taken to lack <c>/255</c>, but for L1 and L2.</summary>
    public static bool IsLength(string text, double value, Norm norm) =>
        value <= 1 || norm == Norm.L1 || (norm == Norm.L2 && value < 10) || (norm != Norm.Linf && Numbers.IsFraction(text));

    /// <summary>The values of a norm's threat model by key.</summary>
    public static IReadOnlyDictionary<string, ConfigValue> Of(Norm norm) => RecipeBlocks.All[norm.Name].Layer.Entries;

    private static double Number(string text) => Numbers.TryReal(text, out double value) ? value
        : throw new InvalidOperationException($"Block value '{text}' is not a number.");
}
