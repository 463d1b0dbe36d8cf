namespace Rpat.Training.Config;

/// <summary>Which keys may differ between a run and its continuation: those that do not affect the weights.</summary>
internal static class ResumeRules
{
    private static readonly string[] _freeSections = ["run.", "log.", "checkpoint.", "recipe.", "guard."];
    private static readonly HashSet<string> _freeKeys =
    [
        ConfigKeys.Of(c => c.Data.Dir).Path, ConfigKeys.Of(c => c.Train.MaxSteps).Path,
        ConfigKeys.Of(c => c.Eval.N).Path, ConfigKeys.Of(c => c.Eval.Attacks).Path, ConfigKeys.Of(c => c.Eval.Batch).Path,
    ];

    /// <summary>Refuses a continuation that would not be the same run.</summary>
    /// <exception cref="ConfigException">Another key differs, or an allowed one does not exist.</exception>
    public static void Check(string run, ResolvedConfig before, ResolvedConfig now, IReadOnlyCollection<string> allowed)
    {
        foreach (string key in allowed)
            if (!Schema.IsKey(key) && !Schema.IsSection(key)) throw Schema.Unknown(key, "keys that may change");
        foreach (var leaf in ConfigKeys.All.Where(leaf => !IsFree(leaf.Path) && !IsAllowed(leaf.Path, allowed)))
        {
            var (old, wanted) = (before.Values[leaf.Path], now.Values[leaf.Path]);
            if (leaf.Same(old, wanted)) continue;
            throw new ConfigException(
                $"{leaf.Path} is '{wanted.Text}' ({wanted.Origin}) where run '{run}' has '{old.Text}', which would change its result: "
                    + "give the same value, or start a new run under another run.name.");
        }
    }

    /// <summary>Keys that affect the result and in which two configurations differ; a run of fewer steps has another.</summary>
    public static IReadOnlyList<string> Differing(ResolvedConfig one, ResolvedConfig other) =>
    [
        .. from leaf in ConfigKeys.All
           where (!IsFree(leaf.Path) || leaf == ConfigKeys.Of(c => c.Train.MaxSteps)) && leaf != ConfigKeys.Of(c => c.Device.Name)
               && leaf != ConfigKeys.Of(c => c.Train.Seed) && !leaf.Same(one.Values[leaf.Path], other.Values[leaf.Path])
           select leaf.Path,
    ];

    /// <summary>Whether a key affects no weight.</summary>
    public static bool IsFree(string path) =>
        _freeKeys.Contains(path) || _freeSections.Any(section => path.StartsWith(section, StringComparison.Ordinal));

    /// <summary>Whether a key, or a section that it is in, is among those that may change.</summary>
    public static bool IsAllowed(string path, IEnumerable<string> allowed) =>
        allowed.Any(key => path == key || path.StartsWith(key + '.', StringComparison.Ordinal));
}
