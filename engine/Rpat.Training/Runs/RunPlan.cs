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

    /// <summary>Whether a resumed run is allowed other teachers or initial weights than it had.</summary>
    public bool HasOtherNetworks { get; private init; }

    /// <summary>Whether a resumed run has these very settings.</summary>
    public bool IsSame { get; private init; }

    /// <summary>
    /// The same with the device that <c>auto</c> resolves to here, and the networks that names and <c>latest</c> mean now, so that the
    /// run's configuration says which.
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
        foreach (var key in NetworkPaths.Keys.Where(key => !ResumeRules.IsAllowed(key.Path, allowed)))
        {
            if (NetworkPaths.IsLatest(before, key))
                throw new ConfigException($"{key.Path} of run '{RunFinder.Shown(folder)}' is '{before.Values[key.Path].Text}', of which an "
                    + "earlier version did not store the run: give its path, and allow the change.");
            if (NetworkPaths.IsLatest(now, key)) now = now.With(key, before.Values[key.Path].Text, "the run");
        }
        (before, now) = (NetworkPaths.Settled(before), NetworkPaths.Settled(now));
        ResumeRules.Check(folder, before, now, allowed);
        bool isSame = ConfigKeys.All.All(leaf => _outward.Any(section => leaf.Path.StartsWith(section, StringComparison.Ordinal))
            || leaf.Same(before.Values[leaf.Path], now.Values[leaf.Path]));
        if (!isSame) RequireCheckpoint(folder);
        return new RunPlan(now, folder, !isSame)
        {
            IsSame = isSame,
            HasOtherNetworks = NetworkPaths.Keys.Any(key => !key.Same(before.Values[key.Path], now.Values[key.Path])),
        };
    }

    /// <summary>Refuses to train a finished run on, or again, whose checkpoints were removed.</summary>
    /// <exception cref="UsageException">It is such a run.</exception>
    public static void RequireCheckpoint(string folder)
    {
        if (RunRecord.Read(folder) is { Status: RunStatus.Finished } && !RunContents.Checkpoints(folder).Any())
            throw new UsageException(
                $"run '{RunFinder.Shown(folder)}' is finished and its checkpoints were removed, so that it cannot be trained further: "
                    + "start a new run under another run.name.");
    }

    private static string ConfigOf(string folder) => Path.Combine(folder, RunFolder.ConfigName);
}
