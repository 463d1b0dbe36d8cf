using System.Linq.Expressions;
using Rpat.Robust.Methods;

namespace Rpat.Trainer.Report;

/// <summary>
/// The command that a finished run calls for: AutoAttack, then the same run with or without the perception term, which is the comparison
/// that this program exists for, then the report about both.
/// </summary>
internal static class NextStep
{
    private const int Images = 100;

    /// <summary>The command.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="shown">The same, as a user would type it.</param>
    public static string Of(string folder, string shown)
    {
        try
        {
            return Next(folder, shown);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or UserException)
        {
            return Attack(folder, shown);
        }
    }

    private static string Next(string folder, string shown)
    {
        if (!IsAttacked(folder)) return Attack(folder, shown);
        var (method, settings) = Settings(folder);
        string other = Counterpart(method), root = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        string? compared = RunFinder.All(root).LastOrDefault(one => RunRecord.Read(one) is { Status: RunStatus.Finished }
            && Settings(one) == (other, settings));
        if (compared is null) return Command(folder, "train", "-c", shown, "--method", other, "--name", other);
        string beside = Path.Combine(Path.GetDirectoryName(shown) ?? "", Path.GetFileName(compared));
        return IsAttacked(compared) ? $"rpat report {ShellWord.Line([shown, beside])}"
            : $"{Attack(compared, beside)}  # {other}, to compare";
    }

    private static string Attack(string folder, string run) => Command(folder,
        ["eval", run, "--attacks", "clean,pgd20,aa", "--n", Images.ToString(CultureInfo.InvariantCulture), .. Threat(folder)]);

    // What the run was trained against, where that is not what 'rpat eval' takes anyway.
    private static string[] Threat(string folder)
    {
        if (RunContents.Find(folder, RunFolder.ConfigName) is null) return [];
        var read = Layers.Recorded(folder);
        string norm = Text(c => c.Attack.Norm), eps = Text(c => c.Attack.Eps);
        if (norm.Length == 0 || eps.Length == 0) return [];
        return (norm, eps) == (Norm.Linf.Name, UsualThreat.Eps(Norm.Linf)) ? [] : ["--norm", norm, "--eps", eps];

        string Text(Expression<Func<TrainerConfig, object?>> key) => read.GetValueOrDefault(ConfigKeys.Of(key).Path)?.Text ?? "";
    }

    private static string Command(string folder, params string[] words) =>
        $"rpat {ShellWord.Line([.. words, .. RunPlugins.Options(folder)])}";

    private static string Counterpart(string method)
    {
        bool hasTerm = method.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal);
        string other = hasTerm ? MethodCatalog.BaseName(method) : method + MethodCatalog.RpatSuffix;
        return MethodCatalog.Find(other) is null ? "pgd-at" : other;
    }

    private static bool IsAttacked(string folder) => RunData.Load(folder).Deciding.Any(RunData.IsAutoAttack);

    // The method, and all else that two runs must share to be compared.
    private static (string Method, string Others) Settings(string folder)
    {
        var read = Layers.Recorded(folder);
        var others = read.Values.Where(entry =>
            RunLabels.Counts(entry.Path) && !entry.Path.StartsWith("method.", StringComparison.Ordinal));
        return (read.GetValueOrDefault(ConfigKeys.Of(c => c.Method.Name).Path)?.Text ?? "",
            string.Join('\n', others.Select(entry => $"{entry.Path}={entry.Text}").Order(StringComparer.Ordinal)));
    }
}
