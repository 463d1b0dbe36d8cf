namespace Rpat.Training.Progress;

/// <summary>Numbers of bytes for people.</summary>
internal static class Sizes
{
    private static readonly string[] _units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Such as <c>1.5 GiB</c>.</summary>
    public static string Text(long bytes)
    {
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < _units.Length - 1; unit++) value /= 1024;
        return value.ToString(unit == 0 || value >= 100 ? "F0" : "F1", CultureInfo.InvariantCulture) + " " + _units[unit];
    }
}
