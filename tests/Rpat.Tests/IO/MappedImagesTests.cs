namespace Rpat.Tests.IO;

public sealed class MappedImagesTests : IDisposable
{
    private const int More = 40;
    private static readonly LabeledImages _set = BatchFixture.Set(channels: 3, height: 5, width: 4, count: 11);
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".npz");
    private readonly byte[] _pixels = [.. Enumerable.Range(0, More * 60).Select(i => (byte)(i * 53 % 256))];

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(true, "image", "label")]
    [InlineData(false, "images", "labels")]
    public void AnImageIsReadFromItsPlaceInTheFileInEitherLayout(bool channelsLast, string images, string labels)
    {
        using var mapped = Open(channelsLast, images, labels);
        var (pixels, room) = (new byte[60], new byte[60]);
        Assert.Equal(More, mapped.Count);
        foreach (int index in new[] { 0, 7, More - 1 })
        {
            mapped.Read(index, pixels, room);
            for (int c = 0; c < 3; c++)
                for (int i = 0; i < 20; i++)
                    Assert.Equal(_pixels[60 * index + (channelsLast ? 3 * i + c : 20 * c + i)], pixels[20 * c + i]);
            Assert.Equal(index % 3, mapped.Label(index));
        }
    }

    [Fact]
    public void ABatchHasItsShareOfThemAndAnEpochAsManyStepsAsWithout()
    {
        using var mapped = Open(channelsLast: true);
        var options = new BatchOptions(5, new AugmentOptions(1, true)) { More = mapped, MoreShare = 0.7 };
        var stream = new BatchStream(_set, options, seed: 9);
        Assert.Equal(3, stream.Count);
        List<long> seen = [], own = [];
        foreach (ImageBatch batch in stream.Epoch(2))
        {
            Assert.Equal(5, batch.Count);
            long[] samples = batch.Samples.ToArray();
            Assert.Equal(3, samples.Count(s => s >= _set.Count));
            for (int i = 0; i < 5; i++)
                Assert.Equal(samples[i] < _set.Count ? _set.Labels[samples[i]] : mapped.Label((int)samples[i] - _set.Count),
                    batch.Labels[i]);
            seen.AddRange(samples.Where(s => s >= _set.Count));
            own.AddRange(samples.Where(s => s < _set.Count));
        }

        Assert.All(seen, sample => Assert.InRange(sample, _set.Count, _set.Count + More - 1));
        Assert.Equal(own.Count, own.Distinct().Count());
        Assert.Equal(stream.Epoch(2).Select(BatchFixture.Content), new BatchStream(_set, options, 9).Epoch(2).Select(BatchFixture.Content));
        Assert.Equal(stream.Epoch(2).Skip(1).Select(BatchFixture.Content), stream.Epoch(2, first: 1).Select(BatchFixture.Content));
    }

    [Fact]
    public void WithoutAugmentationTheirPixelsAreThoseOfTheFile()
    {
        using var mapped = Open(channelsLast: true);
        var batch = new ImageBatch(_set, new BatchOptions(2, default) { More = mapped, MoreShare = 0.5 });
        batch.Load([3, 11 + 8], seed: 1, epoch: 1, number: 0);
        Assert.Equal(_set.Image(3)[17] / 255f, batch.Images[17]);
        Assert.Equal(_pixels[8 * 60 + 3 * 17] / 255f, batch.Images[60 + 17]);
    }

    [Fact]
    public void OtherFilesAreRefusedInOneSentence()
    {
        Assert.Contains("is compressed", Refused(() => Open(true, compress: true)));
        Assert.Contains("has 3 at image 3 where 0 to 2 are expected", Refused(() => Open(true, classes: 4)));
        Assert.Contains("has 4294967296 at image 1 where", Refused(() => Open(true, scale: 1L << 32)));
        Open(true).Dispose();
        byte[] bytes = File.ReadAllBytes(_path);
        int at = bytes.AsSpan().LastIndexOf(BitConverter.GetBytes(2L)); // a label
        bytes[at] = 1;
        File.WriteAllBytes(_path, bytes);
        Assert.Contains("check sum of member 'label.npy'", Refused(() => MappedImages.Open(_path, _set)));
        Assert.Contains("has no array 'image'", Refused(() => Open(true, images: "pictures")));
        Assert.Contains("as those of 'set', is expected", Refused(() => Open(true, height: 4)));
        File.WriteAllBytes(_path, new byte[100]);
        Assert.Contains("is not a sound .npz file", Refused(() => MappedImages.Open(_path, _set)));
    }

    private static string Refused(Action open) => Assert.Throws<DataException>(open).Message;

    private MappedImages Open(bool channelsLast, string images = "image", string labels = "label", bool compress = false, int classes = 3,
        int height = 5, long scale = 1)
    {
        int width = 20 / height;
        long[] shape = channelsLast ? [More, height, width, 3] : [More, 3, height, width];
        Npz.Write(_path, [new NamedArray(images, ElementType.U8, shape, _pixels),
            NamedArray.FromInt64(labels, [.. Enumerable.Range(0, More).Select(i => scale * (i % classes))], More)], compress);
        return MappedImages.Open(_path, _set);
    }
}
