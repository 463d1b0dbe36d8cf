namespace Rpat.Robust.Evaluation;

/// <summary>How a sweep runs; results depend only on the seed and the number of the first image.</summary>
public sealed record SweepOptions
{
    /// <summary>Images under attack at a time.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Seed of all random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// Number of the first image in its data set, which keys its random numbers: a part gives the same results as the whole set.
    /// </summary>
    public int First { get; init; }

    /// <summary>Receives the share of the work that is done, from 0 to 1, after each radius.</summary>
    public IProgress<double>? Progress { get; init; }

    /// <summary>Ends the sweep between two queries to the network.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>
/// An attack at several radii in one call, without files: an image that falls at a small radius is not attacked at a larger one. For
/// evaluations that must survive a crash and be verified, use <see cref="RobustEvaluation"/>.
/// </summary>
public sealed class EpsilonSweep
{
    private readonly bool[,] _success;
    private readonly double[,] _norms;
    private readonly long[,] _queries;
    private readonly int[] _infeasible;

    private EpsilonSweep(double[] epsilons, int images)
    {
        (Epsilons, Images) = (epsilons, images);
        _infeasible = new int[epsilons.Length];
        (_success, _norms, _queries) = (new bool[epsilons.Length, images], new double[epsilons.Length, images],
            new long[epsilons.Length, images]);
    }

    /// <summary>The radii, ascending, in pixel units.</summary>
    public IReadOnlyList<double> Epsilons { get; }

    /// <summary>Number of images N.</summary>
    public int Images { get; }

    /// <summary>Whether each image is misclassified at a radius, without an attack or under it, <c>[N]</c>.</summary>
    public ReadOnlySpan<bool> Success(int epsilon) => Row(_success, epsilon);

    /// <summary>
    /// How far each image was moved at a radius, <c>[N]</c>, in the attack's norm; 0 where no attack was needed or none succeeded.
    /// </summary>
    public ReadOnlySpan<double> Norms(int epsilon) => Row(_norms, epsilon);

    /// <summary>Evaluations of the network that each image took at a radius, <c>[N]</c>; 0 where a smaller radius sufficed.</summary>
    public ReadOnlySpan<long> Queries(int epsilon) => Row(_queries, epsilon);

    /// <summary>Share of images that stay correct at a radius, 0 to 1.</summary>
    public double Accuracy(int epsilon) => (double)Robust(epsilon) / Images;

    /// <summary>Number of images that stay correct at a radius.</summary>
    public int Robust(int epsilon) => Success(epsilon).Count(false);

    /// <summary>Results at a radius outside ball or box, which are not counted: above 0, the attack has a bug.</summary>
    public int Infeasible(int epsilon) => _infeasible[epsilon];

    /// <summary>Attacks images at several radii.</summary>
    /// <param name="net">The network, used in eval mode.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog"/>, such as <c>pgd20</c> or <c>aa</c>.</param>
    /// <param name="images"><c>[N, C, H, W]</c> in [0,1].</param>
    /// <param name="labels">True classes <c>[N]</c>.</param>
    /// <param name="epsilons">Radii in pixel units; each positive.</param>
    /// <exception cref="ArgumentException">There is no such attack of that norm, or images, labels or radii cannot be attacked.</exception>
    /// <exception cref="NotFiniteException">The network returned NaN or infinity.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static EpsilonSweep Run(
        Classifier net, string attack, Norm norm, ReadOnlySpan<float> images, ReadOnlySpan<int> labels, IReadOnlyList<double> epsilons,
        SweepOptions? options = null) => Run(
            net, eps => AttackCatalog.Make(attack, norm, eps, net.Classes), images, labels, epsilons, options);

    /// <summary>Attacks images with your own attacks at several radii.</summary>
    /// <param name="net">The network, used in eval mode.</param>
    /// <param name="suiteAt">The attacks at a radius.</param>
    /// <param name="images"><c>[N, C, H, W]</c> in [0,1].</param>
    /// <param name="labels">True classes <c>[N]</c>.</param>
    /// <param name="epsilons">Radii in pixel units; each positive.</param>
    /// <exception cref="ArgumentException">Images, labels or radii cannot be attacked.</exception>
    /// <exception cref="NotFiniteException">The network returned NaN or infinity.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static EpsilonSweep Run(
        Classifier net, Func<double, AttackSuite> suiteAt, ReadOnlySpan<float> images, ReadOnlySpan<int> labels,
        IReadOnlyList<double> epsilons, SweepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(net);
        ArgumentNullException.ThrowIfNull(suiteAt);
        ArgumentNullException.ThrowIfNull(epsilons);
        options ??= new SweepOptions();
        double[] radii = [.. epsilons.Distinct().Order()];
        if (radii.Length == 0 || !(radii[0] > 0)) throw new ArgumentException("Give radii above 0, such as 8 / 255.0: 8 / 255 is 0 in C#.");
        if (labels.Length == 0) throw new ArgumentException("EpsilonSweep: there are no images to attack.");
        InputCheck.Require(images, labels, net.InputShape, net.Classes);
        using var runner = new AttackRunner(net, new() { Batch = options.Batch, Seed = options.Seed })
        { Tick = options.Cancellation.ThrowIfCancellationRequested };
        var sweep = new EpsilonSweep(radii, labels.Length);
        for (int eps = 0; eps < radii.Length; eps++)
        {
            options.Cancellation.ThrowIfCancellationRequested();
            if (eps > 0) sweep.TakeOver(eps);
            var suite = AttackSuite.Checked(suiteAt(radii[eps]), net.InputShape, net.Classes);
            foreach (var attack in suite.Attacks)
            {
                InputCheck.RequireRadius("EpsilonSweep: ", attack.Norm, radii[eps], net.InputShape);
                InputCheck.RequireThreat("EpsilonSweep: ", attack, attack.Norm, radii[eps]);
                sweep.Attack(runner, attack, eps, images, labels, options.First);
            }
            options.Progress?.Report((eps + 1.0) / radii.Length);
        }
        return sweep;
    }

    // An example that succeeds at a smaller radius also counts at a larger one.
    private void TakeOver(int eps)
    {
        for (int i = 0; i < Images; i++) (_success[eps, i], _norms[eps, i]) = (_success[eps - 1, i], _norms[eps - 1, i]);
    }

    private void Attack(AttackRunner runner, Attack attack, int eps, ReadOnlySpan<float> images, ReadOnlySpan<int> labels, int first)
    {
        int[] left = [.. Enumerable.Range(0, Images).Where(i => !_success[eps, i])];
        int size = runner.ImageShape.SampleCount;
        var (some, classes) = (new float[left.Length * size], new int[left.Length]);
        for (int j = 0; j < left.Length; j++)
        {
            images.Slice(left[j] * size, size).CopyTo(some.AsSpan(j * size));
            classes[j] = labels[left[j]];
        }
        foreach (var outcome in runner.Perturb(attack, some, classes, [.. left.Select(i => (long)first + i)]))
        {
            int i = (int)(outcome.Index - first);
            _queries[eps, i] += outcome.Forwards;
            var image = images.Slice(i * size, size);
            bool fooled = outcome.Fooled && attack.Norm.Holds(image, outcome.Image, Epsilons[eps]);
            if (outcome.IsInfeasible || fooled != outcome.Fooled) _infeasible[eps]++;
            _success[eps, i] = fooled || !outcome.WasCorrect;
            if (fooled) _norms[eps, i] = attack.Norm.Distance(outcome.Image, image);
        }
    }

    private static ReadOnlySpan<T> Row<T>(T[,] table, int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, table.GetLength(0));
        return System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(ref table[row, 0], table.GetLength(1));
    }
}
