using System.Text.RegularExpressions;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>A version of the PTX language, such as 8.6.</summary>
internal readonly partial record struct PtxVersion(int Major, int Minor) : IComparable<PtxVersion>
{
    // PTX ISA, "Release Notes": the CUDA release that introduced each version. CUDA 11.0 to 12.5 have PTX 7.0 to 8.5, in step.
    private static readonly (int Cuda, PtxVersion Ptx)[] _outOfStep =
        [(13010, new(9, 1)), (13000, new(9, 0)), (12090, new(8, 8)), (12080, new(8, 7)), (12070, new(8, 6)), (12050, new(8, 5))];

    /// <summary>The oldest version that has all instructions of the kernels: mma for TF32 and bfloat16, and cp.async.</summary>
    public static PtxVersion Needed { get; } = new(7, 0);

    /// <summary>The newest that a driver can compile.</summary>
    /// <param name="driver">Its CUDA version, 1000·major + 10·minor. For one newer than this program, the result is a lower bound.</param>
    public static PtxVersion NewestOf(int driver)
    {
        foreach (var (cuda, ptx) in _outOfStep)
            if (driver >= cuda) return ptx;
        int major = driver / 1000, minor = driver % 1000 / 10;
        return major >= 11 ? new PtxVersion(major - 4, minor) : new PtxVersion(6, major < 10 ? 0 : 3 + minor);
    }

    /// <summary>The version and the architecture that a PTX text requires, such as 8.6 and 80; null if either is missing.</summary>
    public static (PtxVersion Version, int Architecture)? Of(string text)
    {
        var (version, target) = (VersionPattern().Match(text), TargetPattern().Match(text));
        return version.Success && target.Success
            ? (new PtxVersion(Number(version.Groups[1]), Number(version.Groups[2])), Number(target.Groups[1]))
            : null;
    }

    public int CompareTo(PtxVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static int Number(Group digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\s*\.version\s+(\d+)\.(\d+)", RegexOptions.Multiline)]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"^\s*\.target\s+sm_(\d+)", RegexOptions.Multiline)]
    private static partial Regex TargetPattern();
}
