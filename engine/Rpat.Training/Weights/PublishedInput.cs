namespace Rpat.Training.Weights;

/// <summary>
/// How published networks see images, where their files do not say: by the name that the RobustBench library gives the file, since the same
/// weights' names stand for networks that differ in this alone.
/// </summary>
/// <param name="Normalization">Mean and deviation of each channel; null if each image is standardised by its own.</param>
internal sealed record PublishedInput((IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization)
{
    private const string OwnStatistics = "per-image";

    private static readonly PublishedInput
        _signed = new((Repeated(0.5f), Repeated(0.5f))),
        _cifar10 = new(([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f])),
        _cifar100 = new(([0.5070752f, 0.4865489f, 0.4409178f], [0.2673343f, 0.2564385f, 0.2761505f]));

    // Entry, classes.
    private static readonly Dictionary<(string, int), PublishedInput> _entries = new()
    {
        [("Hendrycks2019Using", 10)] = _signed,
        [("Hendrycks2019Using", 100)] = _signed,
        [("Ding2020MMA", 10)] = new PublishedInput(Normalization: null),
        [("Rice2020Overfitting", 10)] = _cifar10,
        [("Rice2020Overfitting", 100)] = _cifar100,
        [("Wong2020Fast", 10)] = _cifar10,
        [("Chen2020Efficient", 10)] = _cifar10,
        [("Chen2020Efficient", 100)] = new(([0.5071f, 0.4867f, 0.4408f], [0.2675f, 0.2565f, 0.2761f])),
        [("Wu2020Adversarial", 100)] = _cifar100,
        [("Engstrom2019Robustness", 10)] = new(([0.4914f, 0.4822f, 0.4465f], [0.2023f, 0.1994f, 0.2010f])),
        [("Rony2019Decoupling", 10)] = new(([0.491f, 0.482f, 0.447f], [0.247f, 0.243f, 0.262f])),
        [("Augustin2020Adversarial", 10)] = _cifar10,
        [("Augustin2020Adversarial_34_10", 10)] = _cifar10,
        [("Augustin2020Adversarial_34_10_extra", 10)] = _cifar10,
        [("Pang2020Boosting", 10)] = _cifar10,
    };

    /// <summary>What a file's name says, or null.</summary>
    public static PublishedInput? Of(string file, int classes)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        return _entries.GetValueOrDefault((name, classes))
            ?? (name.Contains(OwnStatistics, StringComparison.OrdinalIgnoreCase) ? new PublishedInput(Normalization: null) : null);
    }

    private static float[] Repeated(float value) => [value, value, value];
}
