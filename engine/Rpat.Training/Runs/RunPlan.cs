namespace Rpat.Training.Runs;

/// <summary>What a command line requests to train: a new run, or an earlier one from where it stopped.</summary>
/// <param name="Folder">The folder of the run to resume; null for a new one.</param>
/// <param name="IsChanged">Whether keys were changed, so that its <c>config.yaml</c> must be updated.</param>
internal sealed record RunPlan(ResolvedConfig Resolved, string? Folder = null, bool IsChanged = false)
{
    private const string Automatically = "auto";

    // What shows a run, and affects none of its results.
    private static readonly string[] _outward = ["run.", "log."];

    /// <summary>The number of processes that the user gave, where a launcher has started others: the run may be resumed by none.</summary>
    public ConfigValue? OwnProcesses { get; init; }

    /// <summary>What is stored with the run.</summary>
    public ResolvedConfig Stored => OwnProcesses is { } own
        ? Resolved.With(ConfigKeys.Of(c => c.Run.Processes), own.Text, own.Origin) : Resolved;

    /// <summary>Whether a resumed run has these very settings.</summary>
    public bool IsSame { get; private init; }

    /// <summary>
    /// The same with the device that <c>auto</c> resolves to here, and the networks that names and <c>latest</c> mean now, so that the run's
    /// configuration says which.
    /// </summary>
    public RunPlan Settled(Action<string> note)
    {
        var settled = NetworkPaths.Settled(Resolved);
        string device = settled.Config.Device.Name, name = DeviceFactory.Settle(device, note);
        return this with
        {
            Resolved = name == device ? settled : settled.With(ConfigKeys.Of(c => c.Device.Name), name, $"'{device}' on this machine"),
        };
    }

    /// <summary>What <c>--resume auto</c> means: the newest unfinished run of the same name, or a new one.</summary>
    /// <exception cref="Errors.ConfigException">That run has another configuration.</exception>
    public static RunPlan Automatic(ResolvedConfig resolved, IReadOnlyList<string> allowed) =>
        RunFinder.Unfinished(resolved.Config.RunName, resolved.Config.Run.Out) is { } folder ? GoOnOrAnew(folder, resolved, allowed)
        : new RunPlan(resolved);

    // A run without a checkpoint has nothing to resume: with other settings it is left as it is.
    private static RunPlan GoOnOrAnew(string folder, ResolvedConfig now, IReadOnlyList<string> allowed)
    {
        try
        {
            return GoOn(folder, now, allowed);
        }
        catch (Errors.ConfigException) when (!RunContents.Checkpoints(folder).Any() && !RunFolder.IsOpen(folder))
        {
            return new RunPlan(now);
        }
    }

    /// <summary>An earlier run with its own configuration, overridden by the given sources.</summary>
    /// <exception cref="Errors.UserException">There is no such run, or the sources contradict its configuration.</exception>
    public static RunPlan Named(string name, ConfigSources sources, IReadOnlyList<string> allowed)
    {
        string folder = RunFinder.Named(name, ConfigResolver.Partial(sources).Config.Run.Out);
        return GoOn(folder, ConfigResolver.Resolve(sources, Layers.File(ConfigOf(folder))), allowed);
    }

    private static RunPlan GoOn(string folder, ResolvedConfig now, IReadOnlyList<string> allowed)
    {
        var before = ConfigResolver.Resolve([Layers.Defaults(), Layers.File(ConfigOf(folder))]);
        // A run stays on the device that auto resolved to when it began, and with the networks that were the latest then.
        if (now.Config.Device.Name == Automatically)
            now = now.With(ConfigKeys.Of(c => c.Device.Name), before.Config.Device.Name, "the run");
        while (NetworkPaths.Latest(now) is { } key && NetworkPaths.Latest(before) is null)
            now = now.With(key, before.Values[key.Path].Text, "the run");
        now = NetworkPaths.Settled(now);
        ResumeRules.Check(folder, before, now, allowed);
        bool isSame = ConfigKeys.All.All(leaf => _outward.Any(section => leaf.Path.StartsWith(section, StringComparison.Ordinal))
            || leaf.Same(before.Values[leaf.Path], now.Values[leaf.Path]));
        if (!isSame && RunRecord.Read(folder) is { Status: RunStatus.Finished } && !RunContents.Checkpoints(folder).Any())
            throw new UsageException(
                $"run '{RunFinder.Shown(folder)}' is finished and its checkpoints were removed, so that it cannot be trained further: "
                    + "start a new run under another run.name.");
        return new RunPlan(now, folder, !isSame)
        { IsSame = isSame };
    }

    private static string ConfigOf(string folder) => Path.Combine(folder, RunFolder.ConfigName);
}
