namespace Rpat.Engine.Cases;

/// <summary>
/// The kernels of one op at several sizes, with the results they must compute. The cases of a new op are a class <c>NAMECases</c> in this
/// assembly: the tests of every backend, the device self-tests and the benchmarks find it here.
/// </summary>
public abstract class OpCases
{
    /// <summary>The cases of all ops, by name.</summary>
    public static IReadOnlyList<OpCases> All { get; } =
    [
        .. from type in typeof(OpCases).Assembly.GetTypes()
           where type.IsSubclassOf(typeof(OpCases)) && !type.IsAbstract
           orderby type.Name
           select (OpCases)Activator.CreateInstance(type)!,
    ];

    /// <summary>The kinds of ops.</summary>
    public static IReadOnlyList<string> Categories { get; } = [.. All.Select(op => op.Category).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The op's name, as in the names of its files.</summary>
    public string Op => GetType().Name[..^"Cases".Length];

    /// <summary>The kind of op, such as <c>conv</c>.</summary>
    public abstract string Category { get; }

    /// <summary>Small and odd sizes with every variant of every kernel; quick on any device, even on a simulated GPU.</summary>
    /// <param name="every">Whether variants are included: views, residuals, gradients that are added.</param>
    public abstract IEnumerable<CaseGroup> Ragged(bool every = true);

    /// <summary>More sizes of the same kind, for devices fast enough: CPUs.</summary>
    public abstract IEnumerable<CaseGroup> Wider();

    /// <summary>The layers of PreActResNet-18, each kernel as a training step launches it.</summary>
    public abstract IEnumerable<CaseGroup> Layers(int batch);
}

/// <summary>Cases that share memory, which is freed before the next group.</summary>
/// <param name="Make">Makes them on a device; the numbers are the same on every device.</param>
public sealed record CaseGroup(string Size, Func<TestTensors, IEnumerable<KernelCase>> Make)
{
    /// <inheritdoc/>
    public override string ToString() => Size;
}

/// <summary>Cases of an op whose sizes are of type <typeparamref name="TSize"/>.</summary>
public abstract class OpCases<TSize> : OpCases where TSize : notnull
{
    /// <inheritdoc/>
    public sealed override IEnumerable<CaseGroup> Ragged(bool every = true) => RaggedSizes.Select(size => Group(size, every));

    /// <inheritdoc/>
    public sealed override IEnumerable<CaseGroup> Wider() => WiderSizes.Select(size => Group(size, every: true));

    /// <inheritdoc/>
    public sealed override IEnumerable<CaseGroup> Layers(int batch) => LayerSizes(batch).Select(size => Group(size, every: false));

    /// <summary>Sizes of <see cref="Ragged"/>.</summary>
    protected abstract IEnumerable<TSize> RaggedSizes { get; }

    /// <summary>Sizes of <see cref="Wider"/>.</summary>
    protected virtual IEnumerable<TSize> WiderSizes => [];

    /// <summary>Sizes of <see cref="Layers"/>.</summary>
    protected abstract IEnumerable<TSize> LayerSizes(int batch);

    /// <summary>The cases of a size.</summary>
    /// <param name="make">Makes the tensors that they read and write.</param>
    /// <param name="every">Whether variants are included: views, residuals, gradients that are added.</param>
    protected abstract IEnumerable<KernelCase> At(TestTensors make, TSize size, bool every);

    /// <summary>Storing only, or both storing and adding.</summary>
    protected static bool[] Both(bool every) => every ? [false, true] : [false];

    private CaseGroup Group(TSize size, bool every) => new($"{size}", make => At(make, size, every));
}
