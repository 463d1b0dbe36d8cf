namespace Rpat.Robust.Evaluation;

/// <summary>A network under verification with the evaluation's images; evaluated without any of the attacks' code.</summary>
internal sealed class VerifiedModel(Classifier net, EvaluationFiles files, EvaluationManifest manifest, int batch,
    InputTransform? transform)
{
    public Classifier Net => net;
    public EvaluationFiles Files => files;
    public EvaluationManifest Manifest => manifest;
    public InputTransform? Transform => transform;
    public int Batch => batch;

    /// <summary>Logits of images, each with the noise of the pass that is repeated.</summary>
    /// <param name="images">Images <c>[C·H·W]</c>.</param>
    public float[][] Logits(IReadOnlyList<float[]> images, IReadOnlyList<RandomKey> noise)
    {
        var logits = new float[images.Count][];
        for (int from = 0; from < images.Count; from += batch)
        {
            float[][] seen = [.. Enumerable.Range(from, Math.Min(batch, images.Count - from)).Select(i => Seen(images[i], noise[i]))];
            Ask(seen).CopyTo(logits, from);
        }
        return logits;
    }

    private float[] Seen(float[] image, RandomKey noise)
    {
        if (transform is null) return image;
        var seen = new float[image.Length];
        transform.Apply(image, files.Image, NetBatches.NoiseOf(noise, 0), seen);
        return seen;
    }

    private float[][] Ask(float[][] images)
    {
        Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(images.Length), [.. images.SelectMany(image => image)]);
        var tape = new Tape(net.Device);
        Tensor z = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.Forward();
        float[][] rows = [.. z.ToArray().Chunk(net.Classes)];
        tape.Release();
        net.Device.Free(x.Data);
        return rows;
    }
}
