namespace Rpat.Robust.Evaluation;

/// <summary>Which images a mean is taken over: by the outcome at x′, and optionally only those that are correct at x.</summary>
/// <param name="Success">Correct at x′ (true), misclassified there (false), or both (null).</param>
/// <param name="CleanCorrect">Only images that are correct at x: our addition, the official code does not require it.</param>
public sealed record PerceptionGroup(string Name, bool? Success, bool CleanCorrect)
{
    /// <summary>All six.</summary>
    public static IReadOnlyList<PerceptionGroup> All { get; } =
    [
        new("all", null, false), new("success", true, false), new("failure", false, false),
        new("all, clean right", null, true), new("success, clean right", true, true), new("failure, clean right", false, true),
    ];
}

/// <summary>Means over a group.</summary>
/// <param name="Count">Images in it; the means are NaN when there are none.</param>
/// <param name="Residual">Mean ρ at each α, over images whose representation changes.</param>
public sealed record PerceptionSummary(
    PerceptionGroup Group, int Count, double Full, double First, double Second, IReadOnlyList<double> Residual,
    IReadOnlyList<double> Distance);

/// <summary>The measurements of each image; every mean is a sum over the group's images divided by their number.</summary>
public sealed class PerceptionSamples
{
    internal PerceptionSamples(PerceptionOptions options, int images)
    {
        (Options, Count) = (options, images);
        int alphas = options.Alphas.Count;
        (Logits, Features) = (new PerceptionSpace(alphas, images), new PerceptionSpace(alphas, images));
        (CleanRight, PerturbedRight) = (new bool[images], new bool[images]);
        Right = [.. Enumerable.Range(0, alphas).Select(_ => new bool[images])];
    }

    /// <summary>How it was measured.</summary>
    public PerceptionOptions Options { get; }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Perception as logits.</summary>
    public PerceptionSpace Logits { get; }

    /// <summary>Perception as the features before the last layer.</summary>
    public PerceptionSpace Features { get; }

    /// <summary>Whether each image is classified correctly at x.</summary>
    public bool[] CleanRight { get; }

    /// <summary>Whether it is at x′.</summary>
    public bool[] PerturbedRight { get; }

    /// <summary>Whether it is at x + αΔ, by α and image.</summary>
    public bool[][] Right { get; }

    /// <summary>Share of images that are misclassified at x.</summary>
    public double CleanError => Share(CleanRight, wanted: false);

    /// <summary>Share of images that are misclassified at x′.</summary>
    public double PerturbedError => Share(PerturbedRight, wanted: false);

    /// <summary>Share of images that are correct at each α.</summary>
    public IReadOnlyList<double> AccuracyAlong => [.. Right.Select(r => Share(r, wanted: true))];

    /// <summary>Indices of a group's images.</summary>
    public IReadOnlyList<int> Members(PerceptionGroup group) =>
        [.. Enumerable.Range(0, Count).Where(i => (group.Success is not { } s || PerturbedRight[i] == s)
        && (!group.CleanCorrect || CleanRight[i]))];

    /// <summary>Means over a group.</summary>
    public PerceptionSummary Summarize(PerceptionSpace space, PerceptionGroup group)
    {
        var members = Members(group);
        double Mean(double[] values) => members.Count == 0 ? double.NaN : members.Average(i => values[i]);
        double MeanMoving(double[] values) => members.Select(i => values[i]).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
        return new PerceptionSummary(
            group, members.Count, Mean(space.Full), Mean(space.First), Mean(space.Second),
            [.. space.Residual.Select(MeanMoving)], [.. space.Distance.Select(MeanMoving)]);
    }

    private double Share(bool[] right, bool wanted) => Count == 0 ? 0 : (double)right.Count(r => r == wanted) / Count;
}
