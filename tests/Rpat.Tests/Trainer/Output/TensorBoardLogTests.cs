using Rpat.Tests.IO;
using Rpat.Tests.IO.TensorBoard;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Output;

/// <summary>What a small run leaves to look at.</summary>
public sealed class TensorBoardLogTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ARunHasCurvesHistogramsSettingsAndAPicture()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Run(9), TensorBoardLog.FileName));
        Assert.DoesNotContain("LinfNorm", System.Text.Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        var events = EventReader.Read(bytes);
        Assert.Equal(Enumerable.Range(1, 9).Select(step => (long)step),
            EventReader.Scalars(events, "step/loss").Select(point => point.Step));
        Assert.Equal([6L, 9L], EventReader.Scalars(events, "train/loss").Select(point => point.Step));
        Assert.InRange(EventReader.Scalars(events, "test/pgd-2").Single().Value, 0, 1);
        Message[] values = [.. events.Where(e => e.Has(5)).Select(e => e[5].Message[1].Message)];
        Assert.Equal(2, values.Count(v => v.Has(5) && v[1].Text == "weights/conv1.weight"));
        Assert.Contains("recipe", values.Single(v => v[1].Text == "config")[8].Message[8].Text, StringComparison.Ordinal);
        Assert.Equal(3, values.Count(v => v[1].Text.StartsWith("_hparams_/", StringComparison.Ordinal)));
        byte[] png = values.Single(v => v[1].Text == "adversarial")[4].Message[4].Bytes;
        Assert.Equal(PngReader.Pixels(png), PngReader.Pixels(
            File.ReadAllBytes(Path.Combine(_test.PathOf("runs"), "latest", AttackedExamples.FileName))));
    }

    [Fact]
    public void ResumedCurvesHaveEveryStepOnce()
    {
        string run = Run(8);
        Assert.Equal(0, _test.Run("train", "--resume", run, "--set", "train.max_steps=12", "--allow-change", "train.max_steps"));
        var events = EventReader.Read(File.ReadAllBytes(Path.Combine(run, TensorBoardLog.FileName)));
        Assert.Equal(Enumerable.Range(1, 12).Select(step => (long)step),
            EventReader.Scalars(events, "step/loss").Select(point => point.Step));
        Assert.Equal([0L, 9L], events.Where(e => e.Has(7)).Select(Step)); // a reader drops this step and later ones
    }

    [Fact]
    public void ARunThatWasRolledBackHasTheStepsThatItIsMadeOf()
    {
        string root = _test.PathOf("runs");
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--out", root, "--lr", "1e20", "--set", "guard.action=rollback", "--set",
            "guard.cut=1e-22"]));
        var events = EventReader.Read(File.ReadAllBytes(Path.Combine(root, "latest", TensorBoardLog.FileName)));
        long[] steps = [.. EventReader.Scalars(events, "step/loss").Select(point => point.Step)];
        Assert.Equal(Enumerable.Range(1, steps.Length).Select(step => (long)step), steps);
        Assert.Equal([0L, 1L], events.Where(e => e.Has(7)).Select(Step));
    }

    private static long Step(Message e) => e.Has(2) ? (long)e[2].Value : 0;

    [Fact]
    public void WithoutTheOptionThereIsNoFile() =>
        Assert.False(Directory.Exists(Path.Combine(Run(2, "--set", "log.tensorboard=false"), "tb")));

    [Fact]
    public void ACropLargerThanTheImagesIsOneSentence()
    {
        Assert.Equal(2, _test.Run([.. TinyRun.Arguments(_test), "--out", _test.PathOf("runs"), "--set", "data.augment.crop=8"]));
        Assert.Contains("data.augment.crop is 8", _test.Error, StringComparison.Ordinal);
        Assert.Contains("have 8 pixels", _test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void CutoutAndAReflectedBorderTrain() => Run(3,
        "--set", "data.augment.crop=2", "--set", "data.augment.border=reflect", "--set", "data.augment.cutout=3");

    private string Run(int steps, params string[] options)
    {
        string root = _test.PathOf("runs");
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--out", root, "--set", $"train.max_steps={steps}", .. options]));
        return Directory.GetDirectories(root).First(run => Path.GetFileName(run) != "latest");
    }
}
