namespace Rpat.Robust.Settings;

/// <summary>Numbers as written in this field: <c>0.1</c>, <c>1e-4</c>, <c>8/255</c>. Never depends on the culture.</summary>
public static class Numbers
{
    private static readonly int[] _denominators = [3, 255];

    /// <summary>Reads a decimal or a fraction of two decimals.</summary>
    /// <returns>Whether the text is a finite number.</returns>
    public static bool TryReal(string text, out double value)
    {
        int slash = text.IndexOf('/');
        if (slash < 0) return TryDecimal(text, out value);
        value = 0;
        if (!TryDecimal(text[..slash], out double above) || !TryDecimal(text[(slash + 1)..], out double below)) return false;
        value = above / below;
        return double.IsFinite(value);
    }

    /// <summary>Whether the text is written as a fraction.</summary>
    public static bool IsFraction(string text) => text.Contains('/');

    /// <summary>Reads a whole number.</summary>
    public static bool TryWhole(string text, out long value) =>
        long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    /// <summary>Writes a number so that it reads back exactly: 8/255 and 1/3 as fractions, small ones as 5e-4.</summary>
    public static string Text(double value) =>
        Text(value, fraction => fraction == value, value.ToString("R", CultureInfo.InvariantCulture));

    /// <summary>The same, in single precision.</summary>
    public static string Text(float value) =>
        Text(value, fraction => (float)fraction == value, value.ToString("R", CultureInfo.InvariantCulture));

    private static string Text(double value, Func<double, bool> same, string plain)
    {
        if (Math.Abs(value) < 1e15 && value == Math.Truncate(value)) return value.ToString("F0", CultureInfo.InvariantCulture);
        if (plain.Length <= 8 || Math.Abs(value) >= 1e15)
            return value != 0 && Math.Abs(value) < 1e-3 ? value.ToString("0.######e0", CultureInfo.InvariantCulture)
                : plain.Replace("E+", "e", StringComparison.Ordinal);
        int below = _denominators.FirstOrDefault(d => same(Math.Round(value * d) / d));
        return below == 0 ? plain : FormattableString.Invariant($"{Math.Round(value * below)}/{below}");
    }

    private static bool TryDecimal(string text, out double value) =>
        double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
