namespace Rpat.Nn;

/// <summary>Predictions from logits.</summary>
public static class Predictions
{
    extension(Classifier net)
    {
        /// <summary>The class of each image, <c>[N]</c>; keep a <see cref="Predictor"/> to call it often.</summary>
        /// <inheritdoc cref="Predictor.Logits"/>
        public int[] Predict(ReadOnlySpan<float> images)
        {
            using var predictor = new Predictor(net);
            return predictor.Classes(images);
        }
    }

    /// <summary>How many rows of logits <c>[N, K]</c> have their largest value at the label; a row with a NaN does not.</summary>
    /// <exception cref="ShapeException">The logits are not as many values for each label, or a label is no class.</exception>
    public static Accuracy Accuracy(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
        int classes = labels.IsEmpty ? 0 : logits.Length / labels.Length, correct = 0;
        if (classes * labels.Length != logits.Length)
            throw new ShapeException("Accuracy", $"{logits.Length} logits are not rows of {labels.Length} images");
        for (int i = 0; i < labels.Length; i++)
            if ((uint)labels[i] >= (uint)classes) throw new ShapeException("Accuracy", $"label {labels[i]} is no column of {classes}");
            else if (ArgMax(logits.Slice(i * classes, classes)) == labels[i]) correct++;
        return new Accuracy(correct, labels.Length);
    }

    /// <summary>Index of the first largest value, or −1 when a value is NaN.</summary>
    public static int ArgMax(ReadOnlySpan<float> row)
    {
        int best = 0;
        for (int i = 0; i < row.Length; i++)
        {
            if (float.IsNaN(row[i])) return -1;
            if (row[i] > row[best]) best = i;
        }
        return best;
    }
}

/// <summary>Number of correctly classified images, and number of images.</summary>
public readonly record struct Accuracy(int Correct, int Count)
{
    /// <summary>Share of correct ones, 0 to 1.</summary>
    public double Fraction => Count == 0 ? 0 : (double)Correct / Count;
}
