using Rpat.Engine.IO;
#if RPAT_IMAGESHARP
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
#endif

namespace Rpat.Trainer.Data;

/// <summary>A decoded picture.</summary>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Pixels">[height, width, RGB].</param>
internal sealed record RgbImage(int Width, int Height, byte[] Pixels);

/// <summary>Decodes JPEG and PNG files by SixLabors.ImageSharp, an optional package of the build.</summary>
internal static class ImageFiles
{
    /// <summary>What counts as a picture in a folder.</summary>
    internal static readonly string[] Extensions = [".jpeg", ".jpg", ".png"];

#if RPAT_IMAGESHARP
    /// <summary>Whether this build can decode pictures.</summary>
    internal static readonly bool CanDecode = true;

    /// <summary>Decodes a file; grey pictures get three equal channels.</summary>
    /// <exception cref="DataException">The file cannot be read or decoded.</exception>
    internal static RgbImage Decode(string path)
    {
        try
        {
            using var image = Image.Load<Rgb24>(path);
            var pixels = new byte[image.Width * image.Height * 3];
            image.CopyPixelDataTo(pixels);
            return new RgbImage(image.Width, image.Height, pixels);
        }
        catch (Exception error) when (error is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            // The message on unknown formats lists all decoders, a line each.
            string reason = error is UnknownImageFormatException ? "its format is unknown" : error.Message.Split('\n')[0].TrimEnd('.', '\r');
            throw new DataException($"'{path}' is not a sound picture ({reason}): copy it again.", error);
        }
    }
#else
    /// <summary>Whether this build can decode pictures.</summary>
    internal static readonly bool CanDecode = false;

    /// <summary>Says which package is missing.</summary>
    /// <exception cref="DataException">Always.</exception>
    internal static RgbImage Decode(string path) => throw new DataException(
        $"'{path}' cannot be decoded: this build lacks the package SixLabors.ImageSharp, which no configured feed served; add a feed that"
        + " has it and build with -p:ImageSharp=on, or pack the set on another machine with 'rpat data pack'.");
#endif
}
