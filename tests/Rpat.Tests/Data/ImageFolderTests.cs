using Rpat.Tests.IO;
using Rpat.Training.Data.Jpeg;

namespace Rpat.Tests.Data;

/// <summary>Folders of pictures; a picture's file holds its first red value, so that no decoder is needed.</summary>
public sealed class ImageFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ClassesAndPicturesComeInOrdinalOrder()
    {
        Pictures("train/b/x.png=1", "train/B/deep/a.JPG=2", "train/B/10.png=3", "train/B/2.png=4", "train/a/note.txt=9",
            "train/a/1.jpeg=5", "val/a/1.png=6");
        DataPair pair = ImageFolder.Open(_folder.Root, Decode);
        Assert.Equal(["B", "a", "b"], pair.Train.ClassNames);
        Assert.Equal([3, 4, 2, 5, 1], Reds(pair.Train));
        Assert.Equal([0, 0, 0, 1, 2], pair.Train.Labels);
        Assert.Equal([1], pair.Test.Labels);
    }

    [Fact]
    public void PixelsBecomePlanes()
    {
        Pictures("a/1.png=7", "b/1.png=8");
        DataPair pair = ImageFolder.Open(_folder.Root, Decode);
        Assert.Equal([7, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0], pair.Train.Image(0).ToArray());
        Assert.Contains("not held-out", Assert.Single(pair.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void APictureOfAnotherSizeIsNamed()
    {
        Pictures("a/1.png=1", "a/2.png=200", "b/1.png=1");
        string message = Assert.Throws<DataException>(() => ImageFolder.Open(_folder.Root, Decode)).Message;
        Assert.Contains("2.png' is 6x1 where", message, StringComparison.Ordinal);
        Assert.Contains("is 2x3: scale", message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsMissingIsSaid()
    {
        Assert.Contains("not a folder", Refused(_folder.File("nothing")), StringComparison.Ordinal);
        Assert.StartsWith($"'{_folder.Root}' has no pictures (", Refused(_folder.Root), StringComparison.Ordinal);
        Pictures("train/a/1.png=1");
        Assert.Contains("neither 'val' nor 'test'", Refused(_folder.Root), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatSystemsAndToolsPutBesideIsNoClassAndNoPicture()
    {
        Pictures("train/a/1.png=1", "train/b/1.png=2", "val/a/1.png=3", "val/b/1.png=4");
        Pictures("train/a/._1.png=9", "train/a/.DS_Store=9", "val/b/Thumbs.db=9");
        foreach (string name in new[] { ".ipynb_checkpoints", "@eaDir", "__MACOSX", ".git", "lost+found", "$RECYCLE.BIN", "#recycle" })
            Pictures($"train/{name}/1.png=9", $"val/{name}/1.png=9", $"train/b/{name}/1.png=9");
        DataPair pair = ImageFolder.Open(_folder.Root + "/", Decode);
        Assert.Equal(["a", "b"], pair.Train.ClassNames);
        Assert.Equal([1, 2], Reds(pair.Train));
        Assert.Equal([3, 4], Reds(pair.Test));
        Assert.Empty(pair.Notes);
    }

    [Fact]
    public void AHeldOutClassThatTrainingLacksIsRefused()
    {
        Pictures("train/a/1.png=1", "test/a/1.png=3", "test/dgo/1.png=4");
        Assert.Contains("dgo' is a class that 'train' does not have", Refused(_folder.Root), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train/a/up", "..")]
    [InlineData("train/a/up", "../")]
    [InlineData("train/a/deep/up", "../..")]
    [InlineData("train/c", ".")]
    public void AFolderThatIsInItselfIsRefused(string link, string target)
    {
        Pictures("train/a/1.png=1", "train/a/deep/2.png=2", "train/b/1.png=3", "val/a/1.png=4");
        Directory.CreateSymbolicLink(_folder.File("train/b/same"), _folder.File("val/a"));
        Assert.Equal([1, 2, 3, 4], Reds(ImageFolder.Open(_folder.Root, Decode).Train));
        Directory.CreateSymbolicLink(_folder.File(link), target);
        Assert.EndsWith($"{Path.GetFileName(link)}' is a link to a folder that it is in itself: remove it.", Refused(_folder.Root));
    }

    [Fact]
    public void TwoClassesThatLinkToEachOtherAreRefused()
    {
        Pictures("a/1.png=1", "b/1.png=2");
        Directory.CreateSymbolicLink(_folder.File("a/x"), "../b");
        Directory.CreateSymbolicLink(_folder.File("b/y"), _folder.File("a"));
        Assert.Contains("a/x/y' is a link to a folder that it is in itself", Refused(_folder.Root), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train/")]
    [InlineData("")]
    public void AClassWithoutPicturesIsRefused(string part)
    {
        Pictures($"{part}a/1.png=1", $"{part}b/1.gif=1");
        if (part.Length > 0) Pictures("val/a/1.png=1");
        Assert.Contains("b' has no pictures (.jpeg, .jpg, .png)", Refused(_folder.Root), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsLeftOutIsSaid()
    {
        Pictures("train/a/1.png=1", "train/b/1.png=2", "train/x.png=3", "train/b/2.webp=3", "val/a/1.png=1");
        var notes = ImageFolder.Open(_folder.Root, Decode).Notes;
        Assert.Contains("has no pictures of 1 of 2 classes, 'b' first", notes[0], StringComparison.Ordinal);
        Assert.Contains("1 pictures lie in", notes[1], StringComparison.Ordinal);
        Assert.Contains("2.webp' first", notes[2], StringComparison.Ordinal);
        Assert.Equal(3, notes.Count);
    }

    [Fact]
    public void TinyImageNetsUnknownClassesAndMissingListAreRefused()
    {
        Pictures("train/n01/images/n01_0.JPEG=1", "val/n01/val_0.JPEG=4", "val/n02/val_1.JPEG=4");
        string Message() => Assert.Throws<DataException>(() => TinyImageNet.Open(_folder.Root, Decode)).Message;
        Assert.Contains("n02' is a class that 'train' does not have", Message(), StringComparison.Ordinal);
        Pictures("train/n02/images/n02_0.JPEG=1", "val/images/val_2.JPEG=4");
        Assert.Contains("val_annotations.txt' is missing", Message(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("original")]
    [InlineData("sorted into images")]
    [InlineData("sorted")]
    [InlineData("sorted beside list")]
    public void TinyImageNetsLayoutsGiveTheSameSet(string layout)
    {
        // The order of wnids.txt is not that of the labels.
        File.WriteAllText(_folder.File("wnids.txt"), "n02\nn01\n");
        File.WriteAllText(_folder.File("words.txt"), "n01\tfish, finny thing\nn03\tother\n");
        Pictures("train/n02/images/n02_0.JPEG=1", "train/n02/images/n02_1.JPEG=2", "train/n01/images/n01_0.JPEG=3");
        string[] held = layout == "original" ? ["val/images/val_0.JPEG=4", "val/images/val_10.JPEG=5", "val/images/val_2.JPEG=6"]
            : layout != "sorted into images" ? ["val/n02/val_0.JPEG=4", "val/n01/val_10.JPEG=5", "val/n01/val_2.JPEG=6"]
            : ["val/n02/images/val_0.JPEG=4", "val/n01/images/val_10.JPEG=5", "val/n01/images/val_2.JPEG=6"];
        Pictures(held);
        if (layout == "sorted beside list") Directory.CreateDirectory(_folder.File("val/images"));
        if (layout is "original" or "sorted beside list")
            File.WriteAllText(_folder.File("val/val_annotations.txt"),
                "val_2.JPEG\tn01\t0\t0\t1\t1\nval_0.JPEG\tn02\t0\t0\t1\t1\nval_10.JPEG\tn01\t0\t0\t1\t1\n");
        DataPair pair = TinyImageNet.Open(_folder.Root, Decode);
        Assert.Equal(["fish", "n02"], pair.Train.ClassNames);
        Assert.Equal([3, 1, 2], Reds(pair.Train));
        Assert.Equal([0, 1, 1], pair.Train.Labels);
        Assert.Equal([5, 6, 4], Reds(pair.Test));
        Assert.Equal([0, 0, 1], pair.Test.Labels);
    }

    [Fact]
    public void ThePackedTinyImageNetIsPreferred()
    {
        Pictures("a/1.png=7", "b/1.png=8");
        NpzSet.Write(_folder.File(TinyImageNet.PackedName), ImageFolder.Open(_folder.Root, Decode));
        DataPair pair = TinyImageNet.Open(_folder.Root, Decode);
        Assert.Equal(["a", "b"], pair.Train.ClassNames);
        Assert.Equal([7, 8], Reds(pair.Train));
    }

    private string Refused(string folder) => Assert.Throws<DataException>(() => ImageFolder.Open(folder, Decode)).Message;

    private static int[] Reds(LabeledImages set) => [.. Enumerable.Range(0, set.Count).Select(i => (int)set.Image(i)[0])];

    private void Pictures(params string[] files)
    {
        foreach (string[] parts in files.Select(file => file.Split('=')))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(parts[0]))!);
            File.WriteAllText(_folder.File(parts[0]), parts[1]);
        }
    }

    private static RgbImage Decode(string path)
    {
        byte red = byte.Parse(File.ReadAllText(path), System.Globalization.CultureInfo.InvariantCulture);
        byte[] pixels = [.. Enumerable.Range(0, 18).Select(i => i % 3 == 1 ? (byte)(i / 3 + 1) : (byte)0)];
        pixels[0] = red;
        return red < 100 ? new RgbImage(2, 3, pixels) : new RgbImage(6, 1, pixels);
    }
}
