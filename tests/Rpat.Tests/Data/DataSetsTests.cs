using Rpat.Tests.IO;
using Rpat.Tests.Support;

namespace Rpat.Tests.Data;

public sealed class DataSetsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SubsetHas600And100ImagesOfEachClass()
    {
        DataPair pair = DataSets.Open("fashion-mnist", null);
        Assert.Equal((6000, 1, 28, 28), (pair.Train.Count, pair.Train.Channels, pair.Train.Height, pair.Train.Width));
        Assert.Equal(Enumerable.Repeat(600, 10), pair.Train.Labels.GroupBy(label => label).Select(group => group.Count()));
        Assert.Equal(Enumerable.Repeat(100, 10), pair.Test.Labels.GroupBy(label => label).Select(group => group.Count()));
        Assert.Equal([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], pair.Train.Labels[..10]);
        Assert.Equal([9, 2, 1, 1, 6, 1, 4, 6, 5, 7], pair.Test.Labels[..10]);
        Assert.InRange(pair.Train.Pixels.Average(pixel => pixel / 255.0), 0.27, 0.30);
        Assert.Empty(pair.Notes);
    }

    [Fact]
    public void SubsetKeepsItsLicence()
    {
        using Stream? licence = typeof(DataSets).Assembly.GetManifestResourceStream("fashion-mnist/LICENSE.txt");
        Assert.Contains("Zalando", new StreamReader(licence!).ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void FullFashionMnistIsReadFromTheFolderOrItsSubfolder()
    {
        Directory.CreateDirectory(_folder.File("fashion-mnist"));
        foreach (string prefix in new[] { "", "fashion-mnist/" })
        {
            WriteIdx(prefix + "train", count: 5, pack: prefix.Length == 0);
            WriteIdx(prefix + "t10k", count: 3, pack: prefix.Length > 0);
            DataPair pair = DataSets.Open("fashion-mnist:full", _folder.Root);
            Assert.Equal((5, 3), (pair.Train.Count, pair.Test.Count));
            foreach (string file in Directory.GetFiles(_folder.Root)) File.Delete(file);
        }
    }

    [Fact]
    public void ASetWithoutImagesIsRefusedInOneSentence()
    {
        WriteIdx("train", count: 5, pack: false);
        WriteIdx("t10k", count: 0, pack: false);
        Assert.Contains("has no images to train or to test on: give at least one of each.",
            Assert.Throws<DataException>(() => DataSets.Open("fashion-mnist:full", _folder.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderWhosePartsDifferInSizeIsRefused()
    {
        foreach (var (part, size) in new[] { ("train", 2), ("val", 3) })
        {
            Directory.CreateDirectory(_folder.File($"pictures/{part}/a"));
            Png.Write(_folder.File($"pictures/{part}/a/1.png"), size, size, 3, new byte[3 * size * size]);
        }

        Assert.Contains("has images of 3x2x2 in 1 classes to train on, and of 3x3x3 in 1 to test on",
            Assert.Throws<DataException>(() => DataSets.Open("folder:" + _folder.File("pictures"), null)).Message,
            StringComparison.Ordinal);
    }

    [FactWith(Need.FashionMnist)]
    public void InstalledFashionMnistHasThePublishedNumbersAndTheSubsetIsMadeFromIt()
    {
        DataPair full = DataSets.Open("fashion-mnist:full", _folder.Root), subset = DataSets.Open("fashion-mnist", null);
        Assert.Equal((60_000, 10_000), (full.Train.Count, full.Test.Count));
        double mean = full.Train.Pixels.Average(pixel => pixel / 255.0), square = full.Train.Pixels.Average(p => p / 255.0 * (p / 255.0));
        Assert.Equal(0.2860, mean, 4);
        Assert.Equal(0.3530, Math.Sqrt(square - mean * mean), 4);
        AssertMadeFrom(full.Train, subset.Train, 600);
        AssertMadeFrom(full.Test, subset.Test, 100);
    }

    [Fact]
    public void CifarIsReadFromItsSubfolder()
    {
        string folder = Directory.CreateDirectory(_folder.File("cifar-100-binary")).FullName;
        File.WriteAllBytes(Path.Combine(folder, "test.bin"), new byte[10_000 * 3074]);
        using (FileStream train = File.Create(Path.Combine(folder, "train.bin"))) train.SetLength(50_000L * 3074);
        DataPair pair = DataSets.Open("cifar100", _folder.Root);
        Assert.Equal((50_000, 10_000, 100), (pair.Train.Count, pair.Test.Count, pair.Test.ClassNames.Count));
        Assert.Equal(folder, pair.Source);
    }

    [Theory]
    [InlineData("cifar10", "data_batch_3.bin")]
    [InlineData("cifar100", "train.bin")]
    public void MissingFilesAreNamedWithTheirFolders(string spec, string file)
    {
        string message = Assert.Throws<DataException>(() => DataSets.Open(spec, _folder.Root)).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains(_folder.Root, message, StringComparison.Ordinal);
        Assert.Contains("as data.dir", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OneMissingFileIsNamedAlone()
    {
        foreach (string file in CifarBinary.FileNames(CifarKind.Cifar10, train: true)) _folder.Write(file, [0]);
        string message = Assert.Throws<DataException>(() => DataSets.Open("cifar10", _folder.Root)).Message;
        Assert.Contains($"; 'test_batch.bin' not found in '{_folder.Root}')", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cifra10", "'cifar10'?")]
    [InlineData("fashion-minst", "'fashion-mnist'?")]
    [InlineData("CIFAR1000", "'cifar100'?")]
    public void UnknownNamesGetTheNearestFew(string spec, string nearest)
    {
        string message = Assert.Throws<DataSpecException>(() => DataSets.Open(spec, null)).Message;
        Assert.Contains($"'{spec}'", message, StringComparison.Ordinal);
        Assert.Contains(nearest, message, StringComparison.Ordinal);
        Assert.Contains("'rpat data' lists all", message, StringComparison.Ordinal);
        Assert.InRange(DataSets.All.Count(set => message.Contains(set.Name, StringComparison.Ordinal)), 5, DataSets.All.Count - 1);
    }

    [Fact]
    public void IdxFilesThatDoNotFitAreRefused()
    {
        var images = new NamedArray("images", ElementType.U8, [2, 1, 1], new byte[2]);
        NamedArray Labels(params byte[] values) => new("labels", ElementType.U8, [values.Length], values);
        Assert.Equal([4, 9], FashionMnistSet.Join(images, Labels(4, 9)).Labels);
        Assert.Throws<DataException>(() => FashionMnistSet.Join(images, Labels(1)));
        Assert.Throws<DataException>(() => FashionMnistSet.Join(images, Labels(1, 10)));
        Assert.Throws<DataException>(() => FashionMnistSet.Join(Labels(1, 2), Labels(1, 2)));
    }

    private static void AssertMadeFrom(LabeledImages full, LabeledImages subset, int perClass)
    {
        LabeledImages expected = full.Subset(full.FirstOfEachClass(perClass));
        Assert.True(expected.Pixels.AsSpan().SequenceEqual(subset.Pixels));
        Assert.Equal(expected.Labels, subset.Labels);
    }

    private void WriteIdx(string prefix, int count, bool pack)
    {
        string end = pack ? ".gz" : "";
        using (FileStream images = File.Create(_folder.File($"{prefix}-images-idx3-ubyte{end}")))
            Idx.Write(images, new NamedArray("i", ElementType.U8, [count, 28, 28], new byte[count * 784]), pack);
        using FileStream labels = File.Create(_folder.File($"{prefix}-labels-idx1-ubyte{end}"));
        Idx.Write(labels, new NamedArray("l", ElementType.U8, [count], new byte[count]), pack);
    }
}
