using System.Diagnostics;
using Rpat.Engine.IO;

namespace Rpat.Trainer.Runs;

/// <summary>What in the folder of the runs nobody needs any more.</summary>
internal static class RunLeftovers
{
    /// <summary>
    /// Half-written files of dead processes and folders in which no run has begun; of finished runs also their checkpoints, if wanted. Runs
    /// that a process has open are left alone.
    /// </summary>
    /// <param name="root">The folder of the runs.</param>
    /// <param name="checkpoints">Whether checkpoints of finished runs count: their networks stay, but they cannot be resumed.</param>
    public static IEnumerable<FileSystemInfo> In(string root, bool checkpoints)
    {
        if (!Directory.Exists(root)) yield break;
        foreach (var run in new DirectoryInfo(root).EnumerateDirectories().Where(folder => folder.LinkTarget is null).OrderBy(folder => folder.Name, StringComparer.Ordinal))
        {
            var record = new FileInfo(Path.Combine(run.FullName, RunRecord.FileName));
            if (!record.Exists || RunFolder.IsOpen(run.FullName)) continue;
            if (record.Length == 0 || !File.Exists(Path.Combine(run.FullName, RunFolder.ConfigName)))
            {
                yield return run;
                continue;
            }

            foreach (var (file, process) in AtomicFile.HalfWritten(run.FullName, SearchOption.AllDirectories))
                if (IsDead(process)) yield return new FileInfo(file);
            if (!checkpoints || RunRecord.Read(run.FullName) is not { Status: RunStatus.Finished }) continue;
            var folder = new DirectoryInfo(Path.Combine(run.FullName, Training.CheckpointStore.FolderName));
            if (folder.Exists) yield return folder;
        }
    }

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

    /// <summary>Bytes that are free once it is gone.</summary>
    public static long Size(FileSystemInfo item) => item switch
    {
        FileInfo file => file.Length,
        DirectoryInfo folder => folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length),
        _ => 0,
    };

    /// <summary>Removes it.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public static void Remove(FileSystemInfo item)
    {
        if (item is DirectoryInfo folder) folder.Delete(recursive: true);
        else item.Delete();
    }
}
