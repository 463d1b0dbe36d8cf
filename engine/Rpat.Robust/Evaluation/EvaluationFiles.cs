namespace Rpat.Robust.Evaluation;

/// <summary>The arrays in an evaluation's folder.</summary>
internal sealed class EvaluationFiles
{
    public const string Images = "images.npy", Labels = "labels.npy";

    private readonly string _folder;

    /// <exception cref="DataException">Images or labels are missing, damaged, or not those of a classifier's data.</exception>
    public EvaluationFiles(string folder)
    {
        _folder = folder;
        var images = Npy.Read(Path.Combine(folder, Images));
        if (images.Shape.Length != 4 || images.Type != ElementType.F32 || images.Shape.Any(n => n is < 1 or > int.MaxValue))
            throw new DataException($"'{Images}' in '{folder}' is not float32 [N, C, H, W]: run the evaluation again.");
        Image = new Shape(1, (int)images.Shape[1], (int)images.Shape[2], (int)images.Shape[3]);
        Pixels = images.ToFloats();
        var labels = Npy.Read(Path.Combine(folder, Labels));
        if (labels.Type != ElementType.I64 || labels.Shape.Length != 1 || labels.Shape[0] != images.Shape[0])
            throw new DataException($"'{Labels}' in '{folder}' is not one int64 label an image: run the evaluation again.");
        Classes = Array.ConvertAll(labels.ToInt64(), v => v is >= 0 and <= int.MaxValue ? (int)v
            : throw new DataException($"'{Labels}' in '{folder}' holds {v}, which is no class: run the evaluation again."));
    }

    /// <summary>Channels, height and width.</summary>
    public Shape Image { get; }

    /// <summary>The clean images <c>[N, C, H, W]</c>.</summary>
    public float[] Pixels { get; }

    /// <summary>True classes <c>[N]</c>.</summary>
    public int[] Classes { get; }

    /// <summary>SHA-256 of images and labels.</summary>
    public string DataHash => HashOf(Pixels, Classes);

    public static string HashOf(float[] images, int[] labels) => EvaluationManifest.HashOf(
        MemoryMarshal.AsBytes(images.AsSpan()).ToArray(), MemoryMarshal.AsBytes(labels.AsSpan()).ToArray());

    /// <summary>SHA-256 of a network's state.</summary>
    public static string HashOf(Classifier net) => EvaluationManifest.HashOf(
        [.. net.State().SelectMany(array => new[] { Encoding.UTF8.GetBytes(array.Name), array.Data.ToArray() })]);

    /// <summary>Reads a text file of an evaluation.</summary>
    /// <exception cref="DataException">It is missing, not a regular file, or not text.</exception>
    public static string Text(string path) => Read(() => RegularFile.ReadText(path, Array.MaxLength));

    /// <summary>Reads something from a file of an evaluation.</summary>
    /// <exception cref="DataException">It is missing, not a regular file, or cannot be read.</exception>
    public static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (IOException error)
        {
            throw new DataException(error.Message, error);
        }
    }

    /// <summary>One image of an array <c>[N, C, H, W]</c>.</summary>
    public ReadOnlySpan<float> ImageOf(float[] images, int i) => images.AsSpan(i * Image.SampleCount, Image.SampleCount);

    /// <summary>The adversarial images of a column <c>[N, C, H, W]</c>.</summary>
    /// <exception cref="DataException">They are missing, damaged or not one per image.</exception>
    public float[] Examples(int eps, string suite)
    {
        string name = ExampleStore.NameOf(eps, suite);
        var array = Npy.Read(Path.Combine(_folder, name));
        long[] shape = [Classes.Length, Image.C, Image.H, Image.W];
        return array.Type == ElementType.F32 && array.Shape.AsSpan().SequenceEqual(shape) ? array.ToFloats()
            : throw new DataException($"'{name}' in '{_folder}' does not hold one float32 picture an image: run the evaluation again.");
    }
}
