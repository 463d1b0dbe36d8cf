namespace Rpat.Formats.Data;

/// <summary>Operations on 8-bit images; the magnitude's unit in brackets.</summary>
public enum PixelOp
{
    /// <summary>Nothing.</summary>
    Identity,

    /// <summary>Rows shift in proportion to their number (columns per row).</summary>
    ShearX,

    /// <summary>Columns shift in proportion to their number (rows per column).</summary>
    ShearY,

    /// <summary>Shift to the right (columns, truncated).</summary>
    TranslateX,

    /// <summary>Shift down (rows, truncated).</summary>
    TranslateY,

    /// <summary>Rotation about the centre (degrees, counterclockwise).</summary>
    Rotate,

    /// <summary>Away from black (factor − 1).</summary>
    Brightness,

    /// <summary>Away from grey of the same brightness (factor − 1).</summary>
    Color,

    /// <summary>Away from the mean grey (factor − 1).</summary>
    Contrast,

    /// <summary>Away from the smoothed image (factor − 1).</summary>
    Sharpness,

    /// <summary>Keeps the highest bits (bits, truncated).</summary>
    Posterize,

    /// <summary>Inverts values from a threshold on (threshold).</summary>
    Solarize,

    /// <summary>Stretches each channel to the whole range.</summary>
    AutoContrast,

    /// <summary>Gives each channel an even histogram.</summary>
    Equalize,

    /// <summary>255 − value.</summary>
    Invert,
}
