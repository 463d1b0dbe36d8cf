namespace Rpat.Training.Runs;

/// <summary>Networks that a configuration names, which <c>latest</c> or a run's name may mean another of later.</summary>
internal static class NetworkPaths
{
    /// <summary>The keys that name them.</summary>
    public static IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKeys.Of(c => c.Model.Weights),
        .. ConfigKeys.Below("method.teachers.").Where(key => key != ConfigKeys.Of(c => c.Method.Teachers.Model)),
    ];

    /// <summary>The key that says <c>latest</c>, also as a part of a path, or null.</summary>
    public static ConfigKey? Latest(ResolvedConfig resolved) => Keys.FirstOrDefault(key => IsLatest(resolved, key));

    /// <summary>Whether a key says <c>latest</c>, also as a part of a path.</summary>
    public static bool IsLatest(ResolvedConfig resolved, ConfigKey key) =>
        resolved.Values[key.Path].Text.Split('/').Contains(LatestLink.Name);

    /// <summary>The configuration with the paths of the networks that it means now; what is not there stays as it is.</summary>
    public static ResolvedConfig Settled(ResolvedConfig resolved)
    {
        foreach (var key in Keys)
            if (resolved.Values[key.Path].Text is { Length: > 0 } text
                && RunFinder.Lasting(text, resolved.Config.Run.Out) is { } path && path != text)
                resolved = resolved.With(key, path, $"'{text}' when the run began");
        return resolved;
    }
}
