using Rpat.Engine.IO;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Rpat.Trainer.Data;

/// <summary>A decoded picture.</summary>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Pixels">[height, width, RGB].</param>
internal sealed record RgbImage(int Width, int Height, byte[] Pixels);

/// <summary>Decodes JPEG and PNG files by SixLabors.ImageSharp.</summary>
internal static class ImageFiles
{
    /// <summary>What counts as a picture in a folder.</summary>
    internal static readonly string[] Extensions = [".jpeg", ".jpg", ".png"];

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
}
