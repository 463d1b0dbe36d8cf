using System.Text.RegularExpressions;
using Rpat.Tests.Support;

namespace Rpat.Tests.IO;

/// <summary>
/// Files are opened in one place each for reading and for writing, where pipes, devices and links are refused: no source goes past it.
/// </summary>
public sealed partial class FileAccessTests
{
    // Tables of the kernel, which have no length, and a run's lock and marks, which hold nothing.
    private static readonly HashSet<string> _allowed =
    [
        "RegularFile.cs", "AtomicFile.cs", "MachineMemory.cs", "MachineInfo.cs", "NvidiaDriver.cs", "StopRequest.cs", "RunFolder.cs",
        "DoctorCommand.cs",
    ];

    [Fact]
    public void No_source_opens_a_file_itself()
    {
        string[] found =
        [
            .. from root in (string[])["engine", "models"]
               from file in Directory.EnumerateFiles(Repository.File(root), "*.cs", SearchOption.AllDirectories)
               where !file.Contains("/obj/") && !file.Contains("/bin/") && !file.EndsWith("make-subset.cs")
               && !_allowed.Contains(Path.GetFileName(file))
               from line in File.ReadLines(file)
               where Opens().IsMatch(line)
               select $"{Path.GetFileName(file)}: {line.Trim()}",
        ];
        Assert.Empty(found);
    }

    [Theory]
    [InlineData("using var x = File.OpenRead(path);", true)]
    [InlineData("new FileStream(path, FileMode.Open)", true)]
    [InlineData("new StreamReader(Path.Combine(a, b))", true)]
    [InlineData("Directory.CreateDirectory(folder);", true)]
    [InlineData("using var reader = new StreamReader(stream);", false)]
    [InlineData("RegularFile.Open(path)", false)]
    [InlineData("if (File.Exists(path))", false)]
    public void The_scan_sees_what_opens(string line, bool opens) => Assert.Equal(opens, Opens().IsMatch(line));

    [GeneratedRegex(
        @"\bFile\.(Open|Read|Write|Append|Create|Copy)\w*\(|\bnew FileStream\(|\bnew Stream(Reader|Writer)\((path|file|name|Path\.|"")|\bZipFile\.|"
        + @"\bDirectory\.CreateDirectory\(|\bImage\.Load\w*\(path")]
    private static partial Regex Opens();
}
