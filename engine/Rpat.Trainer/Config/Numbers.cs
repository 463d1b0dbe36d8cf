using System.Globalization;

namespace Rpat.Trainer.Config;

/// <summary>Numbers as people write them in this field: <c>0.1</c>, <c>1e-4</c>, <c>8/255</c>. Never depends on the culture.</summary>
internal static class Numbers
{
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

    private static bool TryDecimal(string text, out double value) =>
        double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
