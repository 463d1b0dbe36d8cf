using Rpat.Tests.IO;

namespace Rpat.Tests.Trainer.Cli;

public sealed class DataCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void EveryDataSetIsListed()
    {
        var all = DataSets.All; // other tests register some
        Assert.Equal(0, _test.Run("data"));
        foreach (DataSetInfo set in all) Assert.Contains(set.Name, _test.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cifar10", 10)]
    [InlineData("cifar100", 100)]
    public void MadeUpCifarFilesOpenWithANoteAndAreTheSameForTheSameSeed(string name, int classes)
    {
        Assert.Equal(0, _test.Run("data", "synth", name, "-o", _test.Folder, "--n", "210", "--test", "100"));
        DataPair pair = DataSets.Open(name, _test.Folder);
        Assert.Equal((210, 100, classes), (pair.Train.Count, pair.Test.Count, pair.Train.ClassNames.Count));
        Assert.Contains("made-up", Assert.Single(pair.Notes), StringComparison.Ordinal);
        Assert.NotEqual(pair.Train.Image(0).ToArray(), pair.Test.Image(0).ToArray());
        Assert.Equal(2, _test.Run("data", "synth", name, "-o", _test.Folder, "--n", "300", "--test", "100"));
        Assert.Contains("exists: give --force to replace it", _test.Error, StringComparison.Ordinal);
        Assert.Equal(0, _test.Run("data", "synth", name, "-o", _test.Folder, "--n", "210", "--test", "100", "--force"));
        Assert.Equal(pair.Train.Pixels, DataSets.Open(name, _test.Folder).Train.Pixels);
        Assert.Equal(0, _test.Run("data", "verify", name, "--data-dir", _test.Folder));
        Assert.Contains("train: 210 images of 3x32x32", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void AMadeUpNpzFileSaysSoHoweverOftenItIsPacked()
    {
        string first = _test.PathOf("a.npz"), second = _test.PathOf("b.npz");
        Assert.Equal(0, _test.Run("data", "synth", "npz", "-o", first, "--n", "20", "--test", "10", "--size", "1x8x8", "--classes", "2"));
        Assert.Equal(2, _test.Run("data", "synth", "npz", "-o", first));
        Assert.Equal(0, _test.Run("data", "pack", "npz:" + first, "-o", second));
        Assert.Contains("made-up", Assert.Single(DataSets.Open("npz:" + second, null).Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void NotesAreShownWithoutWhatATerminalObeys()
    {
        string path = _test.PathOf("hostile.npz");
        var image = new LabeledImages("x", 1, 1, 1, [1, 2], [0, 1], ["a", "b"]);
        NpzSet.Write(path, new DataPair(image, image, path, []) { Lasting = ["clear\u001b[2J", new string('x', 1000)] });
        var notes = DataSets.Open("npz:" + path, null).Notes;
        Assert.Equal("clear[2J", notes[0]);
        Assert.Equal(300, notes[1].Length);
    }

    [Fact]
    public void FilesThatAreNotMadeUpAreNotOverwritten()
    {
        Directory.CreateDirectory(_test.PathOf("cifar-10-batches-bin"));
        _test.Write("cifar-10-batches-bin/data_batch_1.bin", "mine");
        Assert.Equal(2, _test.Run("data", "synth", "cifar10", "-o", _test.Folder));
        Assert.Contains("not made up", _test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AMadeUpSetThatWasNotFinishedIsMadeWithoutForce()
    {
        Directory.CreateDirectory(_test.PathOf("cifar-10-batches-bin"));
        _test.Write("cifar-10-batches-bin/made-up.txt", "");
        _test.Write("cifar-10-batches-bin/data_batch_1.bin", "");
        Assert.Equal(0, _test.Run("data", "synth", "cifar10", "-o", _test.Folder, "--n", "10", "--test", "10"));
    }

    [Fact]
    public void AWrongChecksumIsOneSentenceAndExitCode3()
    {
        string folder = Directory.CreateDirectory(_test.PathOf("cifar-10-batches-py")).FullName;
        foreach (string file in CifarSet.PythonFiles(CifarKind.Cifar10))
            File.WriteAllBytes(Path.Combine(folder, file), CifarPythonTests.Pickle(CifarKind.Cifar10, new byte[2 * 3072], [6, 9]));
        Assert.Equal(3, _test.Run("data", "verify", "cifar10", "--data-dir", _test.Folder));
        Assert.Contains("data_batch_1' has the MD5 sum", _test.Error, StringComparison.Ordinal);
        Assert.Contains("c99cafc152244af753f735de768cd75f is published", _test.Error, StringComparison.Ordinal);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
        Assert.Equal(10, DataSets.Open("cifar10", _test.Folder).Train.Count);
    }

    [Fact]
    public void APackedSetIsTheSameSet()
    {
        string path = _test.PathOf("packed.npz");
        Assert.Equal(0, _test.Run("data", "pack", "fashion-mnist", "-o", path));
        DataPair packed = DataSets.Open("npz:" + path, null), pair = DataSets.Open("fashion-mnist", null);
        Assert.Equal(pair.Train.Pixels, packed.Train.Pixels);
        Assert.Equal(pair.Test.Labels, packed.Test.Labels);
        Assert.Equal(pair.Train.ClassNames, packed.Train.ClassNames);
    }

    [Fact]
    public void FloatsArePackedAsFloatsAndNoSetOverItself()
    {
        string path = _test.PathOf("floats.npz"), packed = _test.PathOf("packed.npz");
        float[] images = [0.1f, 0.0001f, 0.5004f, 1, 0.2f, 0.3f, 0.7f, 0];
        Npz.Write(path, [NamedArray.FromFloats("images", images, 2, 1, 2, 2), NamedArray.FromInt64("labels", [0, 1], 2)]);
        byte[] before = File.ReadAllBytes(path);
        Assert.Equal(2, _test.Run("data", "pack", "npz:" + path, "-o", path));
        Assert.Contains("is the set's own file: choose another one with -o", _test.Error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal(0, _test.Run("data", "pack", "npz:" + path, "-o", packed));
        var values = new float[8];
        DataPair again = DataSets.Open("npz:" + packed, null);
        again.Train.CopyFloats([0, 1], values);
        Assert.Equal(images, values);
        Assert.DoesNotContain("notes", Npz.Read(packed).Keys);
        Assert.All(again.Notes, note => Assert.Contains(packed, note, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("set.v2")]
    [InlineData("set.v2/")]
    [InlineData("set.v2/.")]
    public void AFolderIsPackedUnderItsNameIntoTheFolderThatIsGiven(string spelt)
    {
        foreach (string name in new[] { "a", "b" })
        {
            Directory.CreateDirectory(_test.PathOf("set.v2/" + name));
            Png.Write(_test.PathOf($"set.v2/{name}/1.png"), 2, 2, 3, new byte[12]);
        }

        string folder = Directory.CreateDirectory(_test.PathOf("out")).FullName;
        Assert.Equal(0, _test.Run("data", "pack", "folder:" + _test.PathOf(spelt), "-o", folder + "/"));
        Assert.Equal(0, _test.Run("data", "preview", "folder:" + _test.PathOf(spelt), "-o", folder));
        Assert.Equal(["preview.png", "set.v2.npz"], Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public void APreviewIsAPngOfOneRowAClass()
    {
        string path = _test.PathOf("sheet.png");
        Assert.Equal(0, _test.Run("data", "preview", "fashion-mnist", "-o", path, "--n", "3"));
        Assert.Equal((3 * 58 + 2, 10 * 58 + 2, 3), PngReader.Size(File.ReadAllBytes(path)));
        Assert.Contains("T-shirt/top, Trouser", _test.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("synth cifar11", "did you mean 'cifar10'")]
    [InlineData("synth npz --classes 1", "2 to 10000 classes")]
    [InlineData("synth npz --size 2x8x8", "1 or 3 channels")]
    [InlineData("synth cifar100 --n 99", "from 100")]
    [InlineData("preview fashion-mnist --n 0", "--n is 0")]
    [InlineData("verify cifar", "did you mean 'cifar10'")]
    public void WrongOrdersAreUsageErrors(string line, string reason)
    {
        Assert.Equal(2, _test.Run(["data", .. line.Split(' ')]));
        Assert.Contains(reason, _test.Error, StringComparison.Ordinal);
    }
}
