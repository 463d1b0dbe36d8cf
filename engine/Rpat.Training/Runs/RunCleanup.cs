namespace Rpat.Training.Runs;

/// <summary>Something that is no longer needed.</summary>
/// <param name="Files">What is removed, file by file; the folder goes with the last of them.</param>
internal sealed record Leftover(string Path, IReadOnlyList<string> Files)
{
    /// <summary>Bytes that removing it frees.</summary>
    public long Bytes => Files.Sum(file => new FileInfo(file).Length);

    /// <summary>Removes the files, and their folder if it is empty then.</summary>
    /// <exception cref="IOException">One cannot be removed.</exception>
    public void Remove()
    {
        foreach (string file in Files) File.Delete(file);
        if (Directory.Exists(Path) && !Directory.EnumerateFileSystemEntries(Path).Any()) Directory.Delete(Path);
    }
}

/// <summary>The contents of the folder of runs that are no longer needed.</summary>
/// <param name="keeps">Receives a sentence on each apparent leftover that is kept, because this program did not write it or may need
/// it.</param>
internal sealed class RunCleanup(Action<string> keeps)
{
    /// <summary>
    /// Half-written files of dead processes and folders in which no run has begun; optionally also the checkpoints of finished runs. Runs
    /// that a process has open are left alone, and no link is followed.
    /// </summary>
    /// <param name="checkpoints">Whether to include checkpoints of finished runs: their networks are kept, but they cannot be
    /// resumed.</param>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    public IEnumerable<Leftover> In(string root, bool checkpoints) =>
        RunContents.Folders(Path.GetFullPath(root)).SelectMany(run => Of(run, checkpoints));

    private static readonly TimeSpan _abandoned = TimeSpan.FromHours(1);

    private IEnumerable<Leftover> Of(string run, bool checkpoints)
    {
        if (!RunContents.IsRun(run))
        {
            if (Path.Exists(Path.Combine(run, RunRecord.FileName))) keeps($"'{run}' stays: it is no run of this program.");
            return [];
        }

        if (RunFolder.IsOpen(run)) return [];
        if (RunContents.Skeleton(run) is { } skeleton && RunRecord.Read(run) is null) return [new Leftover(run, skeleton)];
        return HalfWritten(run).Concat(checkpoints ? Checkpoints(run) : []);
    }

    private static IEnumerable<Leftover> HalfWritten(string run) =>
        RunContents.HalfWritten(run).Where(half => IsDead(half.Process) && IsOld(half.Path))
            .Select(half => new Leftover(half.Path, [half.Path]));

    private IEnumerable<Leftover> Checkpoints(string run)
    {
        string folder = Path.Combine(run, RunContents.CheckpointFolder);
        if (RunRecord.Read(run) is not { Status: RunStatus.Finished } || !Directory.Exists(folder)) yield break;
        if (RunContents.Find(run, CheckpointFile.Name) is null)
        {
            keeps($"'{folder}' stays: the run has no {CheckpointFile.Name}, so its checkpoints hold all there is of its network.");
            yield break;
        }

        string[] own = [.. RunContents.Checkpoints(run)];
        if (own.Length > 0) yield return new Leftover(folder, own);
        var half = AtomicFile.HalfWritten(folder).Select(half => half.Path);
        foreach (string other in Directory.GetFileSystemEntries(folder).Except(own).Except(half))
            keeps($"'{other}' stays: it is no checkpoint of this program.");
    }

    // The number may be that of a process of another machine or container which writes into the same folder.
    private static bool IsOld(string path) => DateTime.UtcNow - File.GetLastWriteTimeUtc(path) > _abandoned;

    // Evaluations write into a run's folder without its lock.
    private static bool IsDead(int process)
    {
        try
        {
            Process.GetProcessById(process).Dispose();
            return false;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }
}
