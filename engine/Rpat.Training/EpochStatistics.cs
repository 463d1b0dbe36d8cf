namespace Rpat.Training;

/// <summary>Running means of an epoch: the loss, its parts, and the training accuracies.</summary>
internal sealed class EpochStatistics(TrainingStep step)
{
    /// <summary>Accuracy on the clean training images.</summary>
    public const string CleanName = "clean_acc";

    /// <summary>Accuracy on the attacked training images.</summary>
    public const string AdversarialName = "adv_acc";

    /// <summary>Accuracy on the noisy training images.</summary>
    public const string NoiseName = "noise_acc";

    private readonly List<Metric> _parts = [];
    private readonly List<Metric> _accuracies = [];
    private double _loss, _correct;

    /// <summary>Continues from the sums of an earlier process.</summary>
    public EpochStatistics(TrainingStep step, EpochSums sums)
        : this(step)
    {
        (_loss, _correct, Images) = (sums.Loss, sums.Correct, sums.Images);
        _parts.AddRange(sums.Parts);
        _accuracies.AddRange(sums.Accuracies ?? []);
    }

    /// <summary>Images seen so far.</summary>
    public int Images { get; private set; }

    /// <summary>Mean loss.</summary>
    public double Loss => _loss / Math.Max(1, Images);

    /// <summary>Loss of the last batch.</summary>
    public double LastLoss { get; private set; }

    /// <summary>Logits of the last batch, row by row.</summary>
    public float[] LastLogits { get; private set; } = [];

    /// <summary>
    /// The class that was predicted for all images of the last batch although they are of several classes; otherwise null.
    /// </summary>
    public int? OnlyClass { get; private set; }

    /// <summary>Mean of each part, unweighted.</summary>
    public IReadOnlyList<Metric> LossParts => [.. _parts.Select(p => p with { Value = p.Value / Math.Max(1, Images) })];

    /// <summary>Share of correct predictions on the training views.</summary>
    public double Accuracy => _correct / Math.Max(1, Images);

    /// <summary>Of the clean images and of the attacked (<c>adv_acc</c>) or noisy ones, whichever the loss uses.</summary>
    public IReadOnlyList<Metric> Accuracies => [.. _accuracies.Select(a => a with { Value = a.Value / Math.Max(1, Images) })];

    /// <summary>What a checkpoint must keep of an epoch that has begun.</summary>
    public EpochSums Sums => new(_loss, [.. _parts], _correct, Images, [.. _accuracies]);

    /// <summary>Adds the step that has just run; all processes that share its batch must call it.</summary>
    public void Add(ReadOnlySpan<int> labels)
    {
        LastLoss = step.Loss.Read();
        _loss += LastLoss * labels.Length;
        foreach (var term in step.Loss.Terms)
            for (int part = 0; part < term.Parts.Count; part++) Add(_parts, term.Parts[part], term.ReadPart(part) * labels.Length);
        float[] logits = LastLogits = step.WholeBatch(step.Logits);
        _correct += Correct(logits, labels.Length);
        if (step.CleanLogits is { } clean)
            Add(_accuracies, CleanName, Correct(clean == step.Logits ? logits : step.WholeBatch(clean), labels.Length));
        if (step.AdversarialLogits is not null)
            Add(_accuracies, step.IsAttacked ? AdversarialName : NoiseName, Correct(logits, labels.Length));
        OnlyClass = Only(logits, step.LogitLabels);
        Images += labels.Length;
    }

    // If there are two views of each image, both are used, and an image counts once.
    private double Correct(ReadOnlySpan<float> logits, int images) =>
        Predictions.Accuracy(logits, step.LogitLabels).Correct * (double)images / step.LogitLabels.Length;

    // A one-class batch proves nothing: a good network also predicts one class.
    private static int? Only(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
        if (!labels.ContainsAnyExcept(labels[0])) return null;
        int classes = logits.Length / labels.Length, first = Predictions.ArgMax(logits[..classes]);
        for (int i = 1; i < labels.Length; i++)
            if (Predictions.ArgMax(logits.Slice(i * classes, classes)) != first) return null;
        return first;
    }

    private static void Add(List<Metric> sums, string name, double value)
    {
        int at = sums.FindIndex(sum => sum.Name == name);
        if (at < 0) sums.Add(new Metric(name, value));
        else sums[at] = new Metric(name, sums[at].Value + value);
    }
}
