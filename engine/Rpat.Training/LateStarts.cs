using System.Linq.Expressions;
using Rpat.Robust.Settings;

namespace Rpat.Training;

/// <summary>
/// Parts of a method that begin in a later epoch than the run has: it then trains something other than its name says.
/// </summary>
internal static class LateStarts
{
    /// <summary>One sentence per such part.</summary>
    public static IEnumerable<string> Of(TrainerConfig config, int epochs) =>
        from part in Parts(config)
        where part.Setting.Without.Length > 0 && part.Setting.FirstEpoch(part.Text) > epochs
        select Sentence(config.Method.Name, part, epochs);

    private static string Sentence(string method, Part part, int epochs)
    {
        string late = $"{part.Key} is {part.Text} ({part.Setting.About}), and the run has {Format.Count(epochs, "epoch")}";
        return $"warning: {late}: all of it is {part.Setting.Without}, not {method}; set {part.Key} for so short a run, or train longer.";
    }

    private static IEnumerable<Part> Parts(TrainerConfig config)
    {
        var (method, average) = (config.Method, config.Average);
        foreach (var setting in method.Info.Settings)
            yield return new($"method.{setting.Name}", setting, method.Settings.GetValueOrDefault(setting.Name, setting.Default));
        if (method.HasRpat) yield return Declared(c => c.Method.Rpat.Start, method.Rpat.Start);
        if (method.Awp.Gamma > 0) yield return Declared(c => c.Method.Awp.Start, method.Awp.Start);
        if (average.Ema > 0) yield return Declared(c => c.Average.Start, average.Start);
        if (average.Swa > 0) yield return Declared(c => c.Average.Swa, average.Swa);
    }

    private static Part Declared(Expression<Func<TrainerConfig, object?>> property, int epoch)
    {
        var key = ConfigKeys.Of(property);
        return new(key.Path, key.Setting, FormattableString.Invariant($"{epoch}"));
    }

    private sealed record Part(string Key, Setting Setting, string Text);
}
