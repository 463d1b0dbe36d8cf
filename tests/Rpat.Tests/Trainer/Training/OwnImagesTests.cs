using Rpat.Samples.Extensions;
using Rpat.Samples.Snippets;
using Rpat.Tests.Support;
using Rpat.Training;

namespace Rpat.Tests.Trainer.Training;

/// <summary>A training job on images in memory: those of docs/using-the-libraries.md, and those of a data set's class.</summary>
[Collection(SerialCollection.Name)]
public sealed class OwnImagesTests : IDisposable
{
    private readonly TestHost _test = new();
    private readonly int[] _labels = [.. Enumerable.Range(0, 24).Select(i => i % 2)];
    private readonly float[] _images = new float[24 * 64];

    public OwnImagesTests() => new RandomKey(4, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(_images);

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ImagesInMemoryAreTrainedOnAndKnownWhenTheRunIsResumed()
    {
        var outcome = OwnImages.Train(_images, _labels, Settings("train.epochs=1"));
        Assert.Equal(["Clean", "PGD-2"], outcome.Results[0].Scores.Select(score => score.Title));

        var set = LabeledImages.FromFloats("sides", 1, 8, 8, _images, _labels);
        string[] settings = [.. Settings("run.name=half"), "model.width=4", "method.name=pgd-at", "checkpoint.steps=1"];
        using (var job = TrainingJob.Open((set, set), settings))
        {
            using var stop = new CancellationTokenSource();
            Assert.True(job.Train(new Stopper(stop), stop.Token).Interrupted);
            Assert.Matches("flip: true +# PGD-AT's defaults", File.ReadAllText(Path.Combine(job.Folder, "config.yaml")));
        }
        float[] others = [.. _images.Select(v => 1 - v)];
        var different = LabeledImages.FromFloats("sides", 1, 8, 8, others, _labels);
        using (var job = TrainingJob.Open((different, different), settings))
            Assert.Contains("not those that the run began with", Assert.Throws<DataException>(() => job.Train()).Message);
        using var rest = TrainingJob.Open((set, set), settings);
        Assert.True(rest.IsResumed);
        Assert.False(rest.Train().Interrupted);
    }

    [Fact]
    public void ADataSetsClassIsTrainedOnWithoutBeingRegistered()
    {
        var job = TrainingJob.Open(new Stripes().Open(""), [.. Settings(), "model.width=2", "method.name=clean", "train.max_steps=1"]);
        Assert.False(job.Train().Interrupted);
        job.Dispose();
        job.Dispose();
        Assert.Throws<ObjectDisposedException>(() => job.Train());
    }

    [Fact]
    public void PartsThatDoNotFitAreRefused()
    {
        var set = LabeledImages.FromFloats("sides", 1, 8, 8, _images, _labels);
        var wide = LabeledImages.FromFloats("sides", 1, 4, 16, _images, _labels);
        Assert.Contains("give both the same", Assert.Throws<DataException>(() => TrainingJob.Open((set, wide))).Message);
        Assert.Contains("at least one", Assert.Throws<DataException>(() => TrainingJob.Open((set, set.Take(0)))).Message);
        Assert.Contains("leave out one", Assert.ThrowsAny<UserException>(() => TrainingJob.Open((set, set), "data.name=cifar10")).Message);
        Assert.Contains("(settings)", Assert.ThrowsAny<UserException>(() => TrainingJob.Open("train.epochs=x")).Message);
        Assert.Contains("were in the memory", Assert.ThrowsAny<Exception>(() => DataSets.Open("memory:sides", null)).Message);
    }

    private string[] Settings(params string[] more) =>
    [
        "attack.steps=1", "train.batch=6", "eval.attacks=clean,pgd2", "device.name=cpu", "run.threads=1", $"run.out={_test.PathOf("runs")}",
        .. more,
    ];

    /// <summary>A view that is always due, and stops the run after a step.</summary>
    private sealed class Stopper(CancellationTokenSource stop) : IProgressView
    {
        public void Update(ProgressSnapshot snapshot) => stop.Cancel();
    }
}
