namespace Rpat.Training;

/// <summary>
/// What a diverged run leaves for inspection, in <c>post-mortem.safetensors</c>: the batch (<c>batch.images</c>, <c>batch.labels</c>,
/// <c>batch.samples</c>, <c>batch.logits</c>), the weights (<c>net.…</c>), their gradients and the optimizer's state.
/// </summary>
internal sealed class PostMortem(Run run, RunReporter report) : IRunObserver
{
    /// <summary>Writes the file. If it cannot be written, that is said and does not hide the divergence.</summary>
    public void Diverged(ImageBatch batch, float rate, string reason)
    {
        var metadata = new Dictionary<string, string>(ModelMetadata.Write(run.Model))
        {
            ["rpat.reason"] = reason,
            ["rpat.step"] = run.State.Step.ToString(CultureInfo.InvariantCulture),
            ["rpat.epoch"] = run.State.Epoch.ToString(CultureInfo.InvariantCulture),
            ["rpat.rate"] = rate.ToString("R", CultureInfo.InvariantCulture),
        };
        NamedArray[] arrays = [.. Batch(batch, run.State.Statistics.LastLogits), .. Weights(), .. run.Step.State()];
        try
        {
            Safetensors.Write(run.Folder.PathOf(RunContents.PostMortem), arrays, metadata, digest: true);
        }
        catch (IOException error)
        {
            report.View.Warn($"there is no {RunContents.PostMortem}: {error.Message}");
        }
    }

    private IEnumerable<NamedArray> Batch(ImageBatch batch, float[] logits)
    {
        int count = batch.Labels.Length;
        var (size, classes) = (run.Net.InputShape, run.Net.Classes);
        yield return NamedArray.FromFloats("batch.images", batch.Images, count, size.C, size.H, size.W);
        yield return new NamedArray("batch.labels", ElementType.I32, [count], MemoryMarshal.AsBytes(batch.Labels).ToArray());
        yield return NamedArray.FromInt64("batch.samples", batch.Samples, count);
        yield return NamedArray.FromFloats("batch.logits", logits, logits.Length / classes, classes);
    }

    private IEnumerable<NamedArray> Weights()
    {
        foreach (var array in run.Net.State()) yield return array with { Name = "net." + array.Name };
        var gradients = new float[run.Net.Parameters.Count];
        run.Device.Download(run.Net.Parameters.Gradients, gradients);
        yield return NamedArray.FromFloats("gradients", gradients, gradients.Length);
    }
}
