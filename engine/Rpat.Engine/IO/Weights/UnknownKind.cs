using System.Text;

namespace Rpat.Engine.IO;

/// <summary>Says what a file is that holds no weights: what users meet is seldom damage and mostly something else under that name.</summary>
internal static class UnknownKind
{
    /// <summary>The error for a file that begins with these bytes.</summary>
    public static CheckpointException Of(string path, ReadOnlySpan<byte> start)
    {
        string text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (start.IsEmpty) return new($"'{path}' is empty: download or save it again.");
        if (text.StartsWith('<'))
            return new($"'{path}' is a web page, not weights: the download failed, so open its address in a browser and save the file itself.");
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return new($"'{path}' is a Git LFS pointer, not weights: fetch the file itself with 'git lfs pull'.");
        return new(
            $"'{path}' begins with 0x{Convert.ToHexString(start[..Math.Min(4, start.Length)])}, which no known kind of weights does: "
            + "give a .safetensors, .pt, .pth, .npz or .npy file.");
    }
}
