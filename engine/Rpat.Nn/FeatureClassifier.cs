namespace Rpat.Nn;

/// <summary>
/// A classifier of the usual structure: input normalisation (if any), layers that end in one row of features per image, and a fully
/// connected layer. Features can be computed without the logits, and logits from features.
/// </summary>
public abstract class FeatureClassifier : Classifier
{
    private (Parameter? Weight, Parameter? Bias) _head;

    /// <summary>For derived classes, which declare their layers and call <see cref="Module.Build"/> last.</summary>
    /// <param name="input">One image: N is ignored, C, H and W are its size.</param>
    /// <param name="normalization">Mean and deviation of each channel, or null when the layers see [0,1].</param>
    /// <exception cref="ShapeException">The normalisation does not have one pair per channel.</exception>
    protected FeatureClassifier(
        Device device, Shape input, int classes, (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? normalization)
        : base(device, input, classes)
    {
        if (normalization is not { } n) return;
        ShapeException.Require(n.Mean.Count == input.C, GetType().Name, $"{n.Mean.Count} means are given for images of {input.C} channels");
        Normalization = new Normalize(device, n.Mean, n.Std);
    }

    /// <summary>The first layer, or null when the net sees [0,1].</summary>
    public Normalize? Normalization { get; }

    /// <summary>
    /// Whether each image is first standardised by its own mean and deviation over all pixels, at least 1/√(C·H·W) as in TensorFlow,
    /// instead of <see cref="Normalization"/>.
    /// </summary>
    public bool StandardizesImages { get; set; }

    /// <summary>Values in a row of features.</summary>
    public int FeatureCount => Head.Dimensions[1];

    private Parameter Head => _head.Weight
        ?? throw new ContractException(GetType(), "has no last layer: call DeclareHead in the constructor, before Build.");

    /// <summary>Records everything but the last layer, from plain images in [0,1].</summary>
    /// <returns>Features <c>[N, <see cref="FeatureCount"/>]</c>, plain: the penultimate layer.</returns>
    /// <exception cref="ShapeException">The images' size differs from <see cref="Classifier.InputShape"/>.</exception>
    public Tensor Features(Tape tape, Tensor x, BnMode bn)
    {
        RequireInput(x);
        Tensor seen = StandardizesImages ? tape.StandardizeImages(x) : Normalization is null ? x : tape.Normalize(x, Normalization);
        return RecordFeatures(tape, seen, bn)
            ?? throw new ContractException(GetType(), "returns no tensor from RecordFeatures: return features [N, F].");
    }

    /// <summary>Records the last layer: features <c>[N, F]</c> → logits <c>[N, classes]</c>.</summary>
    public Tensor Logits(Tape tape, Tensor features) => tape.Linear(features, Head, _head.Bias);

    /// <inheritdoc/>
    protected sealed override Tensor Record(Tape tape, Tensor x, BnMode bn) => Logits(tape, Features(tape, x, bn));

    /// <summary>Records the layers from normalised images to features.</summary>
    protected abstract Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn);

    /// <summary>Declares the last layer.</summary>
    protected void DeclareHead(string name, int features, bool zeroBias = false, bool hasBias = true) => _head = hasBias
        ? DeclareLinear(name, Classes, features, zeroBias)
        : (DeclareParameter($"{name}.weight", Init.Default, new Shape(Classes, features), Classes, features), null);

    /// <summary>Brings each row of the last layer's weight to length 1.</summary>
    protected void NormalizeHead()
    {
        float[] rows = Head.ToArray();
        foreach (var row in rows.Chunk(FeatureCount).Select((values, i) => (values, i)))
        {
            double length = Math.Max(LengthOps.LeastLength, Math.Sqrt(row.values.Sum(v => (double)v * v)));
            for (int j = 0; j < FeatureCount; j++) rows[row.i * FeatureCount + j] = (float)(row.values[j] / length);
        }
        Head.Upload(rows);
    }

    /// <summary>A square convolution without bias, padded so that stride 1 keeps the map's size, and its batch norm.</summary>
    /// <param name="net">The network that contains it.</param>
    /// <param name="conv">Name of the convolution in checkpoints.</param>
    /// <param name="norm">Name of the batch norm in checkpoints.</param>
    protected sealed class ConvNorm(FeatureClassifier net, string conv, string norm, int outputs, int inputs, int size, int stride = 1)
    {
        private readonly Parameter _conv = Declared(net, conv, outputs, inputs, size, stride);
        private readonly BatchNorm2d _norm = net.DeclareBatchNorm(norm, outputs);

        /// <summary>Records both: <c>[N, inputs, H, W]</c> → <c>[N, outputs, ⌈H/stride⌉, ⌈W/stride⌉]</c>.</summary>
        public Tensor Record(Tape tape, Tensor x, BnMode bn, bool relu) =>
            tape.BatchNorm2d(tape.Conv2d(x, _conv, stride, size / 2), _norm, bn, relu);

        private static Parameter Declared(FeatureClassifier net, string name, int outputs, int inputs, int size, int stride)
        {
            Conv2d.RequireSizes(inputs, outputs, stride, "; ModelCatalog.Build fills in the zeros of a ModelSpec");
            return net.DeclareConv(name, outputs, inputs, size);
        }
    }
}
