using System.Globalization;
using System.Runtime.InteropServices;
using Rpat.Robust;
using Rpat.Trainer.Runs;

namespace Rpat.Trainer.Training;

/// <summary>
/// What a diverged run leaves to be looked at, in <c>post-mortem.safetensors</c>: the batch (<c>batch.images</c>, <c>batch.labels</c>,
/// <c>batch.samples</c>, <c>batch.logits</c>), the weights (<c>net.…</c>), their gradients and the optimizer's state.
/// </summary>
internal static class PostMortem
{
    /// <summary>The file's name in the run folder.</summary>
    public const string FileName = "post-mortem.safetensors";

    /// <summary>Writes the file.</summary>
    /// <param name="reason">What was wrong.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(RunFolder run, TrainingSetup setup, ImageBatch batch, RunState state, float rate, string reason)
    {
        var metadata = new Dictionary<string, string>(ModelMetadata.Write(setup.Model))
        {
            ["rpat.reason"] = reason,
            ["rpat.step"] = state.Step.ToString(CultureInfo.InvariantCulture),
            ["rpat.epoch"] = state.Epoch.ToString(CultureInfo.InvariantCulture),
            ["rpat.rate"] = rate.ToString("R", CultureInfo.InvariantCulture),
        };
        NamedArray[] arrays = [.. Batch(setup, batch, state.Statistics.LastLogits), .. Weights(setup), .. setup.State.State()];
        Safetensors.Write(run.PathOf(FileName), arrays, metadata, digest: true);
    }

    private static IEnumerable<NamedArray> Batch(TrainingSetup setup, ImageBatch batch, float[] logits)
    {
        int count = batch.Labels.Length;
        var (size, classes) = (setup.Net.InputShape, setup.Net.Classes);
        yield return NamedArray.FromFloats("batch.images", batch.Images, count, size.C, size.H, size.W);
        yield return new NamedArray("batch.labels", ElementType.I32, [count], MemoryMarshal.AsBytes(batch.Labels).ToArray());
        yield return NamedArray.FromInt64("batch.samples", batch.Samples, count);
        yield return NamedArray.FromFloats("batch.logits", logits, logits.Length / classes, classes);
    }

    private static IEnumerable<NamedArray> Weights(TrainingSetup setup)
    {
        foreach (var array in setup.Net.State()) yield return array with { Name = "net." + array.Name };
        var gradients = new float[setup.Net.Parameters.Count];
        setup.Device.Download(setup.Net.Parameters.Gradients, gradients);
        yield return NamedArray.FromFloats("gradients", gradients, gradients.Length);
    }
}
