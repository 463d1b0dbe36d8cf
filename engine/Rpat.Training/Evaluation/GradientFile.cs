namespace Rpat.Training.Evaluation;

/// <summary>The gradient of one training step, for comparing a network with another program's.</summary>
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
        Npz.Write(path, [.. net.Parameters.Parameters.Select(
            p => NamedArray.FromFloats(p.Name, p.GradToArray(), [.. p.Dimensions.Select(d => (long)d)]))]);
    }
}
