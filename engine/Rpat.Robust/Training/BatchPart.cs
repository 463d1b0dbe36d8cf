namespace Rpat.Robust.Training;

/// <summary>Extracts one process's shard of batches of one size.</summary>
/// <param name="views">Views of each image, all first views before all second ones.</param>
internal sealed class BatchPart(BatchShard share, int imageSize, int views)
{
    private readonly int[] _labels = new int[share.LocalRows], _otherLabels = new int[share.LocalRows],
        _allLabels = new int[views * share.Total];
    private readonly long[] _samples = new long[share.LocalRows];
    private readonly float[] _shares = new float[share.LocalRows];
    private float[] _images = [];

    public BatchShard Share => share;

    /// <summary>True classes of the last batch's views.</summary>
    public ReadOnlySpan<int> AllLabels => _allLabels;

    /// <summary>The shard of a batch; valid until the next one.</summary>
    public TrainingBatch Of(in TrainingBatch batch)
    {
        for (int view = 0; view < views; view++) batch.Labels.CopyTo(_allLabels.AsSpan(view * share.Total));
        share.Take(batch.Labels, 1, _labels);
        share.Take(batch.Samples, 1, _samples);
        if (batch.IsMixed) share.Take(batch.OtherLabels, 1, _otherLabels);
        if (batch.IsMixed) share.Take(batch.MixWeights, 1, _shares);
        return new TrainingBatch
        {
            Images = batch.Upload is null ? Images(batch.Images) : default,
            Upload = batch.Upload,
            Labels = _labels,
            Samples = _samples,
            OtherLabels = batch.IsMixed ? _otherLabels : default,
            MixWeights = batch.IsMixed ? _shares : default,
        };
    }

    private ReadOnlySpan<float> Images(ReadOnlySpan<float> all)
    {
        int length = views * share.LocalRows * imageSize;
        if (_images.Length < length) _images = new float[length];
        share.Take(all, imageSize, _images.AsSpan(0, length));
        return _images.AsSpan(0, length);
    }
}
