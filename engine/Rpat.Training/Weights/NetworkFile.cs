namespace Rpat.Training.Weights;

/// <summary>A network with the weights from a file.</summary>
/// <param name="Path">The file, even if a run folder was given.</param>
/// <param name="Report">The parts of the file that did not fit; empty unless that was allowed.</param>
/// <param name="Notes">How the file was read, each without a full stop.</param>
internal sealed record LoadedNetwork(string Path, ModelSpec Spec, FeatureClassifier Net, StateReport Report, IReadOnlyList<string> Notes);

/// <summary>Opens networks from files of any kind: finds out what the file holds, builds the network, and loads the weights.</summary>
internal static class NetworkFile
{
    /// <summary>Loads a network.</summary>
    /// <param name="images">Size of its input images, or null for the file's value, otherwise the model's usual size.</param>
    /// <exception cref="UsageException">Neither the file nor the user says which network it is.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or does not fit the network.</exception>
    public static LoadedNetwork Load(Device device, string path, WeightChoice choice, Shape? images = null)
    {
        string file = FileOf(path);
        using WeightFile opened = WeightFile.Open(file, choice.Key);
        ModelFamily family = FamilyOf(file, opened, choice);
        var search = new WeightSearch(device, family, weights => SpecOf(file, family, opened, weights, choice, images));
        FittedWeights found = search.Best(opened);
        Require(file, found, choice);
        found.Net.Load(State(found));
        return new LoadedNetwork(file, found.Spec, found.Net, found.Report,
            [.. found.Weights.Notes, .. search.Notes, .. Untouched(found.Report)]);
    }

    private static void Require(string file, FittedWeights found, WeightChoice choice)
    {
        var (name, report) = (found.Spec.Name, found.Report);
        string place = found.Weights.Place.Length > 0 ? $" under '{found.Weights.Place}'" : "";
        if (choice.Strict && !report.Fits)
            throw new CheckpointException(
                $"'{file}' does not hold the weights of {name}{place}: {report.Problems}{Hint(report)}; choose another --model, or take "
                    + $"what fits with --no-strict.");
        if (2 * found.Fitting < found.Wanted)
            throw new CheckpointException(
                $"'{file}' holds only {found.Fitting} of the {found.Wanted} tensors of {name}{place}: {report.Problems}{Hint(report)}; "
                + "choose another --model, or another part with --key.");
    }

    private static string Hint(StateReport report) =>
        report.Unexpected.Any(n => n.EndsWith(".weight_g", StringComparison.Ordinal) || n.Contains(".parametrizations."))
        ? " (its weights are made of others, as weight_norm does: save it after remove_weight_norm or remove_parametrizations)"
        : "";

    private static IEnumerable<string> Untouched(StateReport report)
    {
        string[] names = [.. report.Missing, .. report.Reshaped.Select(r => r.Name)];
        if (names.Length > 0)
            yield return $"{names.Length} tensors of the network are not in the file and keep their first values: "
                + $"{WeightSearch.Some(names)}";
    }

    /// <summary>The weights' file of a run folder, or the path itself.</summary>
    /// <exception cref="CheckpointException">The folder is not a run folder.</exception>
    public static string FileOf(string path)
    {
        if (!Directory.Exists(path)) return path;
        string best = Path.Combine(path, CheckpointFile.Best), file = Path.Combine(path, CheckpointFile.Name);
        return File.Exists(best) ? best : File.Exists(file) ? file
            : throw new CheckpointException($"folder '{path}' has no '{CheckpointFile.Name}': give a run folder or a file.");
    }

    private static ModelSpec? SaidIn(WeightFile opened, string file) =>
        ModelMetadata.IsIn(opened.Metadata) ? ModelMetadata.Read(opened.Metadata, file) : null;

    private static ModelFamily FamilyOf(string file, WeightFile opened, WeightChoice choice)
    {
        string name = choice.Model ?? SaidIn(opened, file)?.Name
            ?? throw new UsageException($"'{file}' does not say which model it holds: give --model NAME ('rpat models' lists them).");
        return ModelCatalog.Find(CatalogNames.Models.Canonical(name))
            ?? throw new UsageException($"there is no model '{name}': {CatalogNames.Models.Hint(name)}");
    }

    private static ModelSpec SpecOf(string file, ModelFamily family, WeightFile opened, ModelWeights weights, WeightChoice choice,
        Shape? images)
    {
        ModelSpec? said = SaidIn(opened, file);
        var shapes = weights.Entries.ToDictionary(pair => pair.Key, pair => pair.Value.Shape);
        ModelSpec spec = said is not null && said.Name == family.Name ? said
            : family.Fit(new ModelSpec(family.Name, UsualSize(shapes, family), 10), shapes);
        if (images is { } size) spec = spec with { Input = spec.Input with { H = size.H, W = size.W } };
        return family.Complete(spec with { Normalization = Normalization(choice, weights, spec) });
    }

    // Weights do not show the size of the images: CIFAR's for colour, MNIST's for grey ones.
    private static Shape UsualSize(Dictionary<string, long[]> shapes, ModelFamily family) =>
        family.Fit(new ModelSpec(family.Name, new Shape(1, 3, 32, 32), 10), shapes).Input.C == 1 ? new Shape(1, 1, 28, 28)
        : new Shape(1, 3, 32, 32);

    private static (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization(WeightChoice choice, ModelWeights weights,
        ModelSpec spec)
    {
        var normalization = choice.Mean.Count > 0 ? (choice.Mean, choice.Std) : weights.Normalization ?? spec.Normalization;
        if (normalization is { } n && n.Mean.Count != spec.Input.C)
            throw new UsageException(
                $"the normalisation has {n.Mean.Count} channels, the network's images have {spec.Input.C}: give --mean and --std for "
                    + $"each.");
        return normalization;
    }

    private static Dictionary<string, NamedArray> State(FittedWeights found)
    {
        var (weights, _, net, report) = found;
        HashSet<string> unfit = [.. report.Missing, .. report.Reshaped.Select(r => r.Name)];
        return net.State().ToDictionary(own => own.Name,
            own => !unfit.Contains(own.Name) && weights.Entries.ContainsKey(own.Name) ? Taken(own, weights) : own);
    }

    private static NamedArray Taken(NamedArray own, ModelWeights weights)
    {
        NamedArray array = weights.Load(own.Name);
        bool isReal = array.Type is ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64 or ElementType.C64;
        bool isCount = own.Type == ElementType.I64, isInteger = !isReal;
        if (isCount == isInteger) return array;
        return isCount ? NamedArray.FromInt64(own.Name, [(long)array.ToFloats()[0]])
            : NamedArray.FromFloats(own.Name, array.ToFloats(), array.Shape);
    }
}
