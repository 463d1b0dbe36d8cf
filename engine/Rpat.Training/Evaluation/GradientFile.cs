namespace Rpat.Training.Evaluation;

/// <summary>Gradients of the cross-entropy, for comparing a network with another program's.</summary>
internal static class GradientFile
{
    /// <summary>
    /// Writes the gradient of the mean cross-entropy of all images, one batch in training mode (batch statistics), under PyTorch's names
    /// and in its shapes.
    /// </summary>
    /// <param name="net">The network; its running statistics are updated with the batch.</param>
    /// <param name="images">[N, C, H, W] in [0,1].</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Classifier net, float[] images, int[] labels)
    {
        var tape = new Tape(net.Device, Gradients.Parameters);
        var x = Tensor.From(net.Device, net.InputShape.WithBatch(labels.Length), images);
        tape.CrossEntropy(net.Forward(tape, x, BnMode.Train), Labels.From(net.Device, labels));
        tape.Run();
        Npz.Write(path, [.. net.Parameters.Slice(net.Parameters.Gradients, "")]);
    }

    /// <summary>
    /// Writes the gradient of the summed cross-entropy of all images by each image, [N, C, H, W], with running statistics.
    /// </summary>
    /// <param name="images">[N, C, H, W] in [0,1].</param>
    /// <param name="batch">Images per pass; on a CPU no result depends on it.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteInputs(string path, Classifier net, float[] images, int[] labels, int batch)
    {
        Shape one = net.InputShape;
        var gradients = new float[images.Length];
        int size = Math.Min(batch, labels.Length);
        Tensor x = Tensor.Create(net.Device, one.WithBatch(size), needsGrad: true);
        var target = Labels.From(net.Device, new int[size]);
        var tape = new Tape(net.Device, Gradients.Inputs);
        tape.CrossEntropy(net.Forward(tape, x, BnMode.Eval), target, Reduction.Sum);
        for (int first = 0; first < labels.Length; first += size)
        {
            // The last pass repeats images of the one before.
            int from = Math.Min(first, labels.Length - size);
            x.Upload(images.AsSpan(from * one.SampleCount, size * one.SampleCount));
            target.Upload(labels.AsSpan(from, size));
            tape.Run();
            x.GradToArray().CopyTo(gradients, from * one.SampleCount);
        }
        Npy.Write(path, NamedArray.FromFloats("input_gradients", gradients, labels.Length, one.C, one.H, one.W));
    }
}
