using Rpat.Training.Data.Jpeg;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace Rpat.Training.Data;

/// <summary>
/// Decodes picture files, regardless of their names. PNG is decoded by SixLabors.ImageSharp, whose other decoders are unreachable. JPEG is
/// decoded by <see cref="JpegFile"/>: ImageSharp repeats the colours of chroma-subsampled pictures where libjpeg interpolates, an average
/// difference of 1 to 1.6 levels from what published networks have seen, and silently fills up files that end early.
/// </summary>
internal static class ImageFiles
{
    private const long MostFileBytes = 64 << 20;

    /// <summary>What counts as a picture in a folder.</summary>
    internal static readonly string[] Extensions = [".jpeg", ".jpg", ".png"];

    private static readonly Configuration _pngOnly = new(new PngConfigurationModule())
    {
        MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = 256 }),
    };

    // First bytes of other files that are often found under a picture's name.
    private static readonly (byte[] Start, string Kind)[] _others =
    [
        ([.. "GIF8"u8], "a GIF"), ([.. "BM"u8], "a BMP"), ([.. "II*\0"u8], "a TIFF"), ([.. "MM\0*"u8], "a TIFF"), ([.. "RIFF"u8], "a WebP"),
        ([.. "<"u8], "a web page or other text"), ([0, 5, 0x16, 7], "a Macintosh's side file"),
        ([0], "overwritten with zeros or of an unknown kind"),
    ];

    /// <summary>Decodes a file; grey pictures get three equal channels, transparency is dropped.</summary>
    /// <exception cref="DataException">The file cannot be read, is damaged, too large, or neither JPEG nor PNG.</exception>
    internal static RgbImage Decode(string path)
    {
        byte[] file = Read(path);
        try
        {
            return Decode(file);
        }
        catch (PictureException error)
        {
            throw new DataException($"'{path}' is not a sound picture ({error.Message}): copy it again or convert it.", error);
        }
    }

    /// <summary>Decodes a file's bytes.</summary>
    /// <exception cref="PictureException">They are damaged, too large, or neither JPEG nor PNG.</exception>
    internal static RgbImage Decode(byte[] file)
    {
        if (JpegFile.Matches(file)) return JpegFile.Decode(file);
        if (!PngCheck.Matches(file)) throw new PictureException($"it is {KindOf(file)}, where JPEG and PNG are read");
        return DecodePng(PngCheck.Essential(file));
    }

    private static RgbImage DecodePng(byte[] file)
    {
        try
        {
            using var image = Image.Load<Rgb24>(_pngOnly, file);
            var pixels = new byte[checked(image.Width * image.Height * 3)];
            image.CopyPixelDataTo(pixels);
            return new RgbImage(image.Width, image.Height, pixels);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Malicious files make it throw more than format errors; messages may have a line per decoder.
            throw new PictureException(FirstLine(error));
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            using FileStream file = RegularFile.Open(path);
            if (file.Length > MostFileBytes)
                throw new DataException(
                    $"'{path}' has {file.Length} bytes where a picture has at most {MostFileBytes}: check that it is one.");
            byte[] bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException(FirstLine(error) + ".", error);
        }
    }

    private static string FirstLine(Exception error) => error.Message.Split('\n')[0].TrimEnd('.', '\r');

    private static string KindOf(byte[] file) =>
        file.Length == 0 ? "empty" : _others.FirstOrDefault(other => file.AsSpan().StartsWith(other.Start)).Kind ?? "of an unknown kind";
}
