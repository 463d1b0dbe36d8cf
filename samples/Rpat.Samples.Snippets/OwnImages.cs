using Rpat.Formats.Data;
using Rpat.Training;

namespace Rpat.Samples.Snippets;

/// <summary>A training that resumes, on images of one's own.</summary>
public static class OwnImages
{
    /// <summary>Trains a small network with PGD-AT.</summary>
    /// <param name="images">Grey images <c>[N, 1, 8, 8]</c> in [0,1]; the last quarter is for testing.</param>
    public static TrainingOutcome Train(float[] images, int[] labels, IReadOnlyList<string> settings)
    {
        int train = labels.Length * 3 / 4;
        string[] classes = ["left", "right"];
        var set = LabeledImages.FromFloats("sides", channels: 1, height: 8, width: 8, images, labels, classes);
        var data = (set.Take(train), set.Subset([.. Enumerable.Range(train, labels.Length - train)]));
        string[] inPlace = ["data.augment.crop=0", "data.augment.flip=false"]; // a mirrored image would be of the other class
        using var job = TrainingJob.Open(data, [.. inPlace, "model.width=4", "train.epochs=2", "run.name=sides", .. settings]);
        return job.Train();
    }
}
