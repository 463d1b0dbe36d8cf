using System.IO.Enumeration;

namespace Rpat.Training.Data;

/// <summary>Finds classes and pictures in folders, without the files that systems and tools put next to them.</summary>
internal static class PictureTree
{
    private static readonly EnumerationOptions _all = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        MaxRecursionDepth = 32,
    };

    // Made by Synology, macOS's archiver, other NAS, Windows, file systems and Python; names with a leading dot are hidden as well.
    private static readonly HashSet<string> _notOurs = new(StringComparer.OrdinalIgnoreCase)
    {
        "@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found",
        "__pycache__", "Thumbs.db", "desktop.ini",
    };

    private static readonly string[] _unread = [".bmp", ".gif", ".heic", ".jfif", ".jp2", ".jpe", ".pgm", ".ppm", ".tif", ".tiff", ".webp"];

    /// <summary>The names of a folder's visible folders, in ordinal order.</summary>
    internal static string[] Classes(string folder) =>
        [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Where(Visible).Order(StringComparer.Ordinal)];

    /// <summary>The pictures below a folder, in ordinal order of their paths; none if it does not exist.</summary>
    internal static IEnumerable<string> Pictures(string folder) => Files(folder, ImageFiles.Extensions, _all);

    /// <summary>A sentence on pictures that belong to no class, because they are next to the classes or of an unsupported kind.</summary>
    internal static IEnumerable<string> LeftOut(string folder)
    {
        string[] loose = [.. Files(folder, ImageFiles.Extensions, new EnumerationOptions { AttributesToSkip = 0 })];
        if (loose.Length > 0) yield return $"{loose.Length} pictures lie in '{folder}' itself, in no class, and are left out.";
        string[] unread = [.. Files(folder, _unread, _all)];
        if (unread.Length > 0) yield return $"{unread.Length} pictures are neither JPEG nor PNG and are left out, '{unread[0]}' first.";
    }

    private static IEnumerable<string> Files(string folder, string[] extensions, EnumerationOptions options)
    {
        if (!Directory.Exists(folder)) return [];
        var files = new FileSystemEnumerable<string>(folder, (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(), options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && Visible(entry.FileName.ToString())
                && extensions.Contains(Path.GetExtension(entry.FileName.ToString()), StringComparer.OrdinalIgnoreCase),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => Visible(entry.FileName.ToString())
                && (!entry.Attributes.HasFlag(FileAttributes.ReparsePoint) || LeadsElsewhere(entry.ToFullPath())),
        };
        return files.OrderBy(path => Path.GetRelativePath(folder, path).Replace('\\', '/'), StringComparer.Ordinal);
    }

    // A folder that is found in itself would lend its pictures to a class many times over.
    private static bool LeadsElsewhere(string link)
    {
        string target = Real(link) + Path.DirectorySeparatorChar;
        for (string? place = Path.GetDirectoryName(link); place is not null; place = Path.GetDirectoryName(place))
            if ((Real(place) + Path.DirectorySeparatorChar).StartsWith(target, StringComparison.Ordinal))
                throw new DataException($"'{link}' is a link to a folder that it is in itself: remove it.");
        return true;
    }

    private static string Real(string path)
    {
        if (Path.GetDirectoryName(path) is not { } folder) return "";
        var place = new DirectoryInfo(Path.Combine(Real(folder) + Path.DirectorySeparatorChar, Path.GetFileName(path)));
        return place.ResolveLinkTarget(returnFinalTarget: false) is not { } target ? place.FullName
            : Real(Path.TrimEndingDirectorySeparator(target.FullName));
    }

    private static bool Visible(string name) => !name.StartsWith('.') && !_notOurs.Contains(name);
}
