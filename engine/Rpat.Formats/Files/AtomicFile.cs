using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Rpat.Formats.Files;

/// <summary>
/// Whole-file writes that no reader, crash or full disk ever leaves half-done: the bytes go to <c>NAME.tmp-PID-RANDOM</c> in the same
/// folder, are flushed to the disk, and only then replace the old file, to which a link is followed. Of several writers, the last one's
/// file stays. A device, a pipe and stdout are written in place. Nothing is written through a link that leads out of a run's folder.
/// </summary>
public static partial class AtomicFile
{
    /// <summary>An empty file that every run folder has from its creation, and no other folder has.</summary>
    public const string RunMark = ".rpat-run";

    private const string Half = ".tmp-", Stdout = "/proc/self/fd/1";

    // What identifies the run folders of versions that had no mark yet.
    private static readonly string[] _oldMarks = ["run.json", "config.yaml"];

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes a file atomically; on any failure the old file stays and the temporary one is removed.</summary>
    /// <param name="path">The file to make or replace. Its folder must exist.</param>
    /// <param name="write">Writes the content to the stream it is given; must not close it.</param>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(path);
        RequireName(path);
        try
        {
            if (IsInPlace(path)) WriteInPlace(path, write);
            else Replace(Target(path), write);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, error);
        }
    }

    /// <summary>Refuses a path at which no file can be made, before there is anything to write.</summary>
    /// <exception cref="IOException">
    /// It is a folder, is in none or in one that takes no files, or leads out of a run's folder through a link.
    /// </exception>
    public static void RequirePlace(string path)
    {
        RequireName(path);
        if (Directory.Exists(path)) throw IsFolder(path);
        if (IsInPlace(path)) return;
        try
        {
            OpenNew(Temporary(Target(path)), FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{path}' cannot be written: check that its folder exists and is writable.", error);
        }
    }

    private static void RequireName(string path)
    {
        RequireNoLink(path);
        if (Path.GetFileName(path) is "" or "." or "..") throw IsFolder(path);
    }

    private static IOException IsFolder(string path) => new($"'{path}' is a folder: give the name of a file in it.");

    /// <summary>Writes a text file atomically, in UTF-8 without a byte order mark; line ends are written as given.</summary>
    /// <param name="path">The file to make or replace. Its folder must exist.</param>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(_utf8.GetBytes(text)));

    /// <summary>Creates a folder and its parents if they do not exist.</summary>
    /// <exception cref="IOException">A link on the path leads out of a run's folder, or it cannot be created.</exception>
    public static void MakeFolder(string path)
    {
        RequireNoLink(path);
        if (File.Exists(path))
            throw new IOException($"'{path}' is a {(IsLink(path) ? "link to no folder" : "file")}: choose another folder.");
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"folder '{path}' cannot be made ({error.Message.TrimEnd('.')}): choose another folder.", error);
        }
    }

    /// <summary>Opens a file for appending, in place and without replacing it; creates it if there is none.</summary>
    /// <param name="share">What others may do with it meanwhile.</param>
    /// <exception cref="IOException">It is a link, not a regular file, or has another name (hard link)
    /// elsewhere; it cannot be opened; or it is wanted for this process alone, and another one has it.</exception>
    public static FileStream OpenToGrow(string path, FileShare share)
    {
        RequireNoLink(path);
        if ((IsLink(path) || Path.Exists(path)) && !RegularFile.Exists(path, followLink: false))
            throw new IOException($"'{path}' is no regular file, and what is written there would be lost: remove it.");
        if (RegularFile.HasOtherNames(path))
            throw new IOException(
                $"'{path}' has another name elsewhere (a hard link), where its content would change as well: put a copy in its place.");
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share, bufferSize: 0);
            file.Seek(0, SeekOrigin.End);
            return file;
        }
        catch (IOException error) when (share == FileShare.None && File.Exists(path))
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            throw new IOException($"another process writes into '{folder}': wait until it has ended.", error);
        }
    }

    /// <summary>Refuses a path that leads out of a run's folder through a link.</summary>
    /// <exception cref="IOException">It does.</exception>
    public static void RequireNoLink(string path)
    {
        string? link = null;
        for (string? place = Path.GetFullPath(path).TrimEnd(Path.DirectorySeparatorChar); place is { Length: > 1 };
            place = Path.GetDirectoryName(place))
        {
            if (link is not null && IsRun(place))
                throw new IOException(
                    $"'{link}' is a link out of the run, over which nothing is written: put the file or folder itself there.");
            if (IsLink(place)) link = place;
        }
    }

    /// <summary>Temporary files of unfinished writes, with the names and process ids in theirs; the process may still be writing.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static IEnumerable<(string Path, string Name, int Process)> HalfWritten(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*" + Half + "*"))
            if (TemporaryName().Match(Path.GetFileName(file)) is { Success: true } match
                && int.TryParse(match.Groups["process"].ValueSpan, CultureInfo.InvariantCulture, out int process))
                yield return (file, match.Groups["name"].Value, process);
    }

    // Nobody reads what replaces a device, a pipe or the file that stdout writes to.
    private static bool IsInPlace(string path) => IsStdout(path) || RegularFile.IsDevice(path);

    private static bool IsStdout(string path) => Target(path) == Target(Stdout);

    private static void WriteInPlace(string path, Action<Stream> write)
    {
        using var open = IsStdout(path) ? Console.OpenStandardOutput()
            : new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        write(open);
    }

    // Of a bare name File.ResolveLinkTarget returns a path in the root.
    private static string Target(string path) => Path.GetFullPath(path) is var full && IsLink(full)
        ? File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName : full;

    private static void Replace(string path, Action<Stream> write)
    {
        string temporary = Temporary(path);
        try
        {
            WriteFlushed(temporary, write);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            RemoveQuietly(temporary);
            throw;
        }
    }

    // Processes of several machines or containers may have the same number.
    private static string Temporary(string path) => FormattableString.Invariant(
        $"{path}{Half}{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");

    private static void WriteFlushed(string path, Action<Stream> write)
    {
        using var file = OpenNew(path, FileOptions.None);
        write(file);
        file.Flush(flushToDisk: true);
    }

    private static FileStream OpenNew(string path, FileOptions options) =>
        new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16, options);

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private static bool IsRun(string folder) =>
        File.Exists(Path.Combine(folder, RunMark)) || _oldMarks.All(name => File.Exists(Path.Combine(folder, name)));

    private static void RemoveQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to report; a leftover .tmp file is never read.
        }
    }

    // Earlier versions added no random part.
    [GeneratedRegex(@"^(?<name>.*)\.tmp-(?<process>\d+)(-[0-9a-f]{8})?$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex TemporaryName();

    private static IOException CannotWrite(string path, Exception error) => new(
        $"'{path}' cannot be written ({error.Message.TrimEnd('.')}): check that its folder exists, is writable and has room.", error);
}
