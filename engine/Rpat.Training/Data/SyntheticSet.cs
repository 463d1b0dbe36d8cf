namespace Rpat.Training.Data;

/// <summary>Random images of a data set's size, for measuring speed without its files.</summary>
internal static class SyntheticSet
{
    private const ulong Seed = 1;

    /// <summary>The requested number of images, for training and for evaluation.</summary>
    /// <param name="spec">A name of <see cref="DataSets.All"/>; the user's own file is opened to read the size.</param>
    public static DataPair Like(string spec, int count)
    {
        var info = DataSets.All.FirstOrDefault(set => set.Name == spec);
        var images = info is { Classes: int classes } ? Images(spec, Sizes(info.Shape), classes, count)
            : Images(DataSets.Open(spec, null).Train, count);
        return new DataPair(images, images, $"random images of {spec}'s size", []);
    }

    private static LabeledImages Images(LabeledImages like, int count) =>
        Images(like.Name, [like.Channels, like.Height, like.Width], like.ClassNames.Count, count);

    private static LabeledImages Images(string name, int[] size, int classes, int count)
    {
        float[] values = new float[size[0] * size[1] * size[2] * count];
        new RandomKey(Seed, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(values);
        byte[] pixels = Array.ConvertAll(values, value => (byte)(value * 256));
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % classes)];
        string[] names = [.. Enumerable.Range(0, classes).Select(k => k.ToString(CultureInfo.InvariantCulture))];
        return new LabeledImages(name, size[0], size[1], size[2], pixels, labels, names);
    }

    private static int[] Sizes(string shape) => [.. shape.Split('x').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
}
