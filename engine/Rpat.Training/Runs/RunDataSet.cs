namespace Rpat.Training.Runs;

/// <summary>The data set of a run, which a command about the run uses unless another is named.</summary>
/// <param name="Name">As in <c>data.name</c>.</param>
/// <param name="Dir">Where its files are, or null for the usual places.</param>
internal sealed record RunDataSet(string Name, string? Dir)
{
    /// <summary>
    /// The data set that the command line names, otherwise that of the run's configuration, or of the checkpoint's last evaluation.
    /// </summary>
    /// <param name="name">The data set that was named, or null.</param>
    /// <param name="dir">The folder that was named, or null.</param>
    /// <param name="checkpoint">A run folder or a file of one; a file from elsewhere does not say what it was trained on.</param>
    /// <param name="root">The folder of runs.</param>
    /// <exception cref="UsageException">Nothing names a data set.</exception>
    public static RunDataSet Choose(string? name, string? dir, string checkpoint, string root) =>
        Find(name, dir, checkpoint, root) ?? throw Unsaid(checkpoint);

    /// <summary>The same, or null.</summary>
    public static RunDataSet? Find(string? name, string? dir, string checkpoint, string root)
    {
        if (name is not null) return new RunDataSet(DataSets.Names.Canonical(name), dir);
        var run = Of(RunFinder.RunOf(checkpoint) ?? checkpoint)
            ?? (ForeignHome.Manifests(RunFinder.HomeOf(checkpoint, root)).FirstOrDefault(one => one.Norm.Length > 0) is { } last
                ? new RunDataSet(last.Data, null) : null);
        if (run is not null && DataSets.Names.Match(run.Name) is null) throw RunPlugins.Or(checkpoint, DataSets.Unknown(run.Name));
        return run is null ? null : run with { Dir = dir ?? run.Dir };
    }

    // That a file is no checkpoint at all comes first.
    private static UsageException Unsaid(string checkpoint)
    {
        using var opened = WeightFile.Open(CheckpointFile.At(checkpoint));
        return new UsageException($"'{checkpoint}' does not say which data set it was trained on: give --data.");
    }

    private static RunDataSet? Of(string run)
    {
        if (!File.Exists(Path.Combine(run, RunFolder.ConfigName))) return null;
        var entries = Layers.Recorded(run);
        return entries.GetValueOrDefault(ConfigKeys.Of(c => c.Data.Name).Path) is { } name
            ? new RunDataSet(name.Text, entries.GetValueOrDefault(ConfigKeys.Of(c => c.Data.Dir).Path) is { Text.Length: > 0 } dir
            ? dir.Text : null)
            : null;
    }
}
