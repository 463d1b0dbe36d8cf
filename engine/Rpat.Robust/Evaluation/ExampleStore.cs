namespace Rpat.Robust.Evaluation;

/// <summary>
/// The adversarial images of an evaluation: for each radius and column one .npy file of all images <c>[N, C, H, W]</c>, float32, whose
/// slots are written as they are found. At the end the slots of images that survived contain the clean ones.
/// </summary>
internal sealed class ExampleStore(string folder, int count, Shape image) : IDisposable
{
    private readonly Dictionary<(int, string), Slots> _files = [];

    /// <summary>Name of a file in the folder.</summary>
    public static string NameOf(int eps, string suite) => FormattableString.Invariant($"adversarial-{eps}-{suite}.npy");

    public void Write(int eps, string suite, int sample, ReadOnlySpan<float> values) => File(eps, suite).Write(sample, values);

    public float[] Read(int eps, string suite, int sample) => File(eps, suite).Read(sample, image.SampleCount);

    public void Dispose()
    {
        foreach (var file in _files.Values) file.Dispose();
    }

    private Slots File(int eps, string suite)
    {
        if (!_files.TryGetValue((eps, suite), out var file))
            _files[(eps, suite)] = file = new Slots(Path.Combine(folder, NameOf(eps, suite)), count, image);
        return file;
    }

    private sealed class Slots : IDisposable
    {
        private readonly FileStream _file;
        private readonly int _header;

        public Slots(string path, int count, Shape image)
        {
            byte[] header = Npy.Header(ElementType.F32, count, image.C, image.H, image.W);
            _header = header.Length;
            _file = AtomicFile.OpenToGrow(path, FileShare.Read);
            _file.SetLength(header.Length + (long)count * image.SampleCount * sizeof(float));
            _file.Position = 0;
            _file.Write(header);
        }

        public void Write(int sample, ReadOnlySpan<float> values)
        {
            _file.Seek(_header + (long)sample * values.Length * sizeof(float), SeekOrigin.Begin);
            _file.Write(MemoryMarshal.AsBytes(values));
        }

        public float[] Read(int sample, int length)
        {
            var values = new float[length];
            _file.Seek(_header + (long)sample * length * sizeof(float), SeekOrigin.Begin);
            _file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }

        public void Dispose()
        {
            _file.Flush(flushToDisk: true);
            _file.Dispose();
        }
    }
}
