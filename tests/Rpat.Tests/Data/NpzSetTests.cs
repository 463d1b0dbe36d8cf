using Rpat.Tests.IO;

namespace Rpat.Tests.Data;

public sealed class NpzSetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ChannelsLastEqualsChannelsFirst()
    {
        byte[] planesFirst = [.. Enumerable.Range(0, 2 * 3 * 4 * 5).Select(i => (byte)i)];
        byte[] channelsLast = new byte[planesFirst.Length];
        for (int i = 0; i < planesFirst.Length; i++)
        {
            int image = i / 60, channel = i / 20 % 3, pixel = i % 20;
            channelsLast[image * 60 + pixel * 3 + channel] = planesFirst[i];
        }

        LabeledImages first = Open(Images(planesFirst, 2, 3, 4, 5), Labels(0, 4)).Train;
        LabeledImages last = Open(Images(channelsLast, 2, 4, 5, 3), Labels(0, 4)).Train;
        Assert.Equal((3, 4, 5), (first.Channels, first.Height, first.Width));
        Assert.Equal((3, 4, 5), (last.Channels, last.Height, last.Width));
        Assert.Equal(planesFirst, first.Pixels);
        Assert.Equal(planesFirst, last.Pixels);
        Assert.Equal(5, first.ClassNames.Count);
    }

    [Fact]
    public void FloatsFromBytesComeBackExactlyAndWithoutANote()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        NamedArray images = NamedArray.FromFloats("images", [.. bytes.Select(b => b / 255f)], 1, 16, 16);
        DataPair pair = Open(images, Labels(2));
        Assert.Equal(bytes, pair.Test.Pixels);
        Assert.Single(pair.Notes);
    }

    [Fact]
    public void OtherFloatsAreRoundedWithANote()
    {
        DataPair pair = Open(NamedArray.FromFloats("images", [0.4985f / 255], 1, 1, 1), Labels(0));
        Assert.Contains(pair.Notes, note => note.Contains("0.0020", StringComparison.Ordinal));
    }

    /// <summary>Names of classes are often saved as texts, and other things beside the pictures as
    /// objects: neither harms the pictures.</summary>
    [Fact]
    public void ArraysOfTextsAndObjectsBesideThePicturesAreLeftOut()
    {
        string path = _folder.File("texts.npz");
        using (var zip = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Create))
        {
            Add(zip, "images", "|u1", "(1, 2, 2)", [1, 2, 3, 4]);
            Add(zip, "labels", "<i8", "(1,)", new byte[8]);
            Add(zip, "class_names", "<U3", "(2,)", new byte[24]);
            Add(zip, "history", "|O", "()", [0x80, 2, (byte)'N', (byte)'.']);
        }

        DataPair pair = NpzSet.Open(path);
        Assert.Equal([1, 2, 3, 4], pair.Train.Pixels);
        Assert.Contains(pair.Notes, note => note.StartsWith($"'class_names' in '{path}' holds elements of type '<U3'",
            StringComparison.Ordinal));
    }

    [Fact]
    public void PicturesThatAreObjectsAreRefused()
    {
        string path = _folder.File("objects.npz");
        using (var zip = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Create))
            Add(zip, "images", "|O", "(2,)", [0x80, 2, (byte)'N', (byte)'.']);
        Assert.Contains("'images' in", Assert.Throws<DataException>(() => NpzSet.Open(path)).Message);
    }

    private static void Add(System.IO.Compression.ZipArchive zip, string name, string type, string shape, byte[] data)
    {
        byte[] header = System.Text.Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}\n");
        using Stream stream = zip.CreateEntry(name + ".npy").Open();
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header, .. data]);
    }

    [Fact]
    public void HeldOutPartIsUsedWhenItIsThere()
    {
        DataPair pair = Open(
            Images([1, 2], 2, 1, 1), Labels(0, 1),
            Images([3], 1, 1, 1) with { Name = "test_images" }, Labels(3) with { Name = "test_labels" });
        Assert.Equal([3], pair.Test.Pixels);
        Assert.Equal((4, 4), (pair.Train.ClassNames.Count, pair.Test.ClassNames.Count));
        Assert.Empty(pair.Notes);
    }

    [Theory]
    [InlineData(-0.1f, "undo the normalisation")]
    [InlineData(1.5f, "undo the normalisation")]
    [InlineData(128f, "divide pixels by 255")]
    [InlineData(float.NaN, "check how it was made")]
    public void FloatsOutOfRangeAreRefusedWithTheirPlace(float value, string advice)
    {
        string message = Refused(NamedArray.FromFloats("images", [0.5f, value], 2, 1, 1), Labels(0, 1));
        Assert.Contains($"{value.ToString(CultureInfo.InvariantCulture)} in image 1", message, StringComparison.Ordinal);
        Assert.Contains(advice, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cat\ndog")]
    [InlineData("cat\ndog\n")]
    [InlineData("cat\r\ndog\r\n")]
    public void NamesOfClassesAreLinesAsFilesHaveThem(string text)
    {
        byte[] names = Encoding.UTF8.GetBytes(text);
        DataPair pair = Open(Images([1, 2], 2, 1, 1), Labels(0, 1), new NamedArray("class_names", ElementType.U8, [names.Length], names));
        Assert.Equal(["cat", "dog"], pair.Train.ClassNames);
    }

    [Fact]
    public void TwoPartsOfOtherSizesAreRefused() => Assert.Contains(
        "has images of 1x1x1 in 2 classes to train on, and of 1x1x2 in 2 to test on: give both the same.",
        Refused(Images([1, 2], 2, 1, 1), Labels(0, 1), Images([3, 4], 1, 1, 2) with { Name = "test_images" },
            Labels(1) with { Name = "test_labels" }), StringComparison.Ordinal);

    [Fact]
    public void WhatRoundingLeavesOutsideTheRangeIsCutOff() => Assert.Equal(
        [0, 255], Open(NamedArray.FromFloats("images", [-3e-8f, 1 + 5e-7f], 2, 1, 1), Labels(0, 1)).Train.Pixels);

    [Fact]
    public void ASinglePixelMayComeInEitherOrder() => Assert.Equal([7, 8], Open(Images([7, 8], 2, 1, 1, 1), Labels(0, 1)).Train.Pixels);

    [Fact]
    public void WrongShapesTypesAndLabelsAreRefused()
    {
        Assert.Contains("1 or 3 channels", Refused(Images(new byte[8], 1, 2, 2, 2), Labels(0)), StringComparison.Ordinal);
        Assert.Contains("told apart", Refused(Images(new byte[9], 1, 3, 1, 3), Labels(0)), StringComparison.Ordinal);
        Assert.Contains("1 or 3 channels", Refused(Images(new byte[2], 2), Labels(0, 0)), StringComparison.Ordinal);
        Assert.Contains("8-bit integers", Refused(NamedArray.FromInt64("images", [1], 1, 1, 1), Labels(0)), StringComparison.Ordinal);
        Assert.Contains("one integer for each of 2", Refused(Images(new byte[2], 2, 1, 1), Labels(0)), StringComparison.Ordinal);
        Assert.Contains("label -1 at image 1", Refused(Images(new byte[2], 2, 1, 1), Labels(0, -1)), StringComparison.Ordinal);
        Assert.Contains("no array 'labels'", Refused(Images(new byte[2], 2, 1, 1)), StringComparison.Ordinal);
        NamedArray testImages = Images([1], 1, 1, 1) with { Name = "test_images" };
        Assert.Contains("no array 'test_labels'", Refused(Images([1], 1, 1, 1), Labels(0), testImages), StringComparison.Ordinal);
        Assert.Contains("at least one", Refused(Images([], 0, 1, 1), Labels()), StringComparison.Ordinal);
    }

    private static NamedArray Images(byte[] pixels, params long[] shape) => new("images", ElementType.U8, shape, pixels);

    private static NamedArray Labels(params long[] labels) => NamedArray.FromInt64("labels", labels, labels.Length);

    private DataPair Open(params NamedArray[] arrays)
    {
        Npz.Write(_folder.File("set.npz"), arrays);
        return DataSets.Open("npz:" + _folder.File("set.npz"), null);
    }

    private string Refused(params NamedArray[] arrays) => Assert.Throws<DataException>(() => Open(arrays)).Message;
}
