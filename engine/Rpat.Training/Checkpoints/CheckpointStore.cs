namespace Rpat.Training.Checkpoints;

/// <summary>
/// The checkpoints of a run, <c>step-00000094.safetensors</c> and so on. The newest few are kept, and those at the end of every N-th epoch
/// are kept permanently.
/// </summary>
/// <param name="folder">Their folder; made with the first one.</param>
/// <param name="keep">How many of the newest planned ones are kept, at least 1.</param>
/// <param name="keepEvery">The ones at the end of every this many epochs are kept permanently; 0 for none.</param>
internal sealed class CheckpointStore(string folder, int keep, int keepEvery)
{
    private const string Prefix = "step-";
    private const string Suffix = ".safetensors";

    /// <summary>The existing files, oldest first.</summary>
    public IReadOnlyList<string> All => !Directory.Exists(folder)
        ? []
        : [.. Directory.GetFiles(folder, Prefix + "*" + Suffix).Where(file => StepOf(file) >= 0).OrderBy(StepOf)];

    /// <summary>The newest undamaged one with its trainer state; null if there is none at all.</summary>
    /// <param name="note">Receives the error of each newer one, and which one is used instead.</param>
    /// <exception cref="CheckpointException">There are some, and all are damaged.</exception>
    public (string File, TrainerState Standing)? Newest(Action<string> note)
    {
        var all = All;
        foreach (string file in all.Reverse())
        {
            if (Sound(file, note) is not { } standing) continue;
            if (file != all[^1]) note($"note: the run falls back to '{Path.GetFileName(file)}'.");
            return (file, standing);
        }

        return all.Count == 0 ? null : throw new CheckpointException(
            $"none of the {all.Count} checkpoints in '{folder}' can be read: copy them again, or remove the folder to begin the run "
                + $"again.");
    }

    /// <summary>Whether none is left, or the newest one is undamaged and stands at that step (0 for any), or after that epoch.</summary>
    public bool IsAt(int step, int epoch) =>
        All is not [.., var last] || Sound(last, static _ => { }) is { } standing
            && (step > 0 && standing.Step >= step || standing.Epoch > epoch);

    /// <summary>The undamaged ones that the configuration asked for, oldest first.</summary>
    public IReadOnlyList<(string File, TrainerState Standing)> Planned() =>
    [
        .. from file in All
           let standing = Sound(file, static _ => { })
           where standing is { Planned: true }
           select (file, standing),
    ];

    /// <summary>Writes a checkpoint and, once it is safely on the disk, removes those that are no longer needed.</summary>
    /// <param name="write">Writes the file of the path it is given as one step.</param>
    /// <exception cref="IOException">It cannot be written; the older ones are unchanged.</exception>
    public void Add(int step, Action<string> write)
    {
        AtomicFile.MakeFolder(folder);
        write(Path.Combine(folder, Prefix + step.ToString("D8", CultureInfo.InvariantCulture) + Suffix));
        Prune();
    }

    /// <summary>Removes the checkpoints after a step, which the run will reach again.</summary>
    public void DeleteAfter(int step)
    {
        foreach (string file in All.Where(file => StepOf(file) > step)) File.Delete(file);
    }

    private static int StepOf(string file) =>
        int.TryParse(Path.GetFileNameWithoutExtension(file)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture,
        out int step) ? step : -1;

    // One that was due to the clock or a signal is needed only until the next planned one.
    private void Prune()
    {
        var all = All.Select(file => (File: file, Standing: Readable(file))).ToList();
        var recent = all.Where(item => item.Standing is { Planned: true }).TakeLast(keep).ToList();
        foreach (var item in all.SkipLast(1).Except(recent))
            if (item.Standing is not { } standing || !StaysForGood(standing)) File.Delete(item.File);
    }

    private bool StaysForGood(TrainerState standing) =>
        keepEvery > 0 && standing is { Planned: true, Step: > 0, Sums.Images: 0 } && (standing.Epoch - 1) % keepEvery == 0;

    private static TrainerState? Readable(string file) => Try(() => Checkpoint.ReadStanding(file), static _ => { });

    private static TrainerState? Sound(string file, Action<string> note) => Try(() => Checkpoint.ReadSound(file, note), note);

    private static TrainerState? Try(Func<TrainerState> read, Action<string> damaged)
    {
        try
        {
            return read();
        }
        catch (CheckpointException error)
        {
            damaged(error.Message);
            return null;
        }
    }
}

/// <summary>When checkpoints are due: at steps and epochs, which are the same for every run of a configuration, and by the clock.</summary>
internal sealed class CheckpointSchedule(CheckpointSection config)
{
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Whether the configuration plans one after this step.</summary>
    public bool IsPlannedAt(int step) => config.Steps > 0 && step % config.Steps == 0;

    /// <summary>Whether the configuration plans one at the end of this epoch.</summary>
    public bool IsPlannedAfter(int epoch) =>
        config.Epochs > 0 && epoch % config.Epochs == 0 || config.KeepEvery > 0 && epoch % config.KeepEvery == 0;

    /// <summary>Whether one is overdue by the clock.</summary>
    public bool IsOverdue() => config.Seconds > 0 && Stopwatch.GetElapsedTime(_last).TotalSeconds >= config.Seconds;

    /// <summary>Records that one was written.</summary>
    public void Restart() => _last = Stopwatch.GetTimestamp();
}
