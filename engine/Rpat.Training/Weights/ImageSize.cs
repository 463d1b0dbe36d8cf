using Rpat.Robust.Settings;

namespace Rpat.Training.Weights;

/// <summary>Sizes of images as users write them.</summary>
internal static class ImageSize
{
    /// <summary>Reads <c>CxHxW</c>, such as <c>3x32x32</c>.</summary>
    /// <exception cref="UsageException">It is not such a size.</exception>
    public static Shape Parse(string option, string text)
    {
        long[] sizes = [.. text.Split('x').Select(part => Numbers.TryWhole(part, out long size) && size is > 0 and <= 4096 ? size : -1)];
        if (sizes.Length != 3 || sizes.Contains(-1))
            throw new UsageException($"{option} is '{text}' where channels, height and width are wanted, such as 3x32x32.");
        return new Shape(1, (int)sizes[0], (int)sizes[1], (int)sizes[2]);
    }
}
