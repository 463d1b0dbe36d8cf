namespace Rpat.Training.Weights;

/// <summary>A network with the weights from a file.</summary>
/// <param name="Path">The file, even if a run folder was given.</param>
/// <param name="Report">The parts of the file that did not fit; empty unless that was allowed.</param>
/// <param name="SaysInputs">Whether the file itself says how images are normalised, as opposed to what is usual for such a network.</param>
internal sealed record LoadedNetwork(string Path, ModelSpec Spec, FeatureClassifier Net, StateReport Report, bool SaysInputs);

/// <summary>Opens networks from files of any kind: finds out what the file holds, builds the network, and loads the weights.</summary>
internal static class NetworkFile
{
    /// <summary>Loads a network.</summary>
    /// <param name="note">Receives how the file was read, where it does not say so itself; without a full stop.</param>
    /// <param name="images">Size of its input images, or null for the file's value, otherwise the model's usual size.</param>
    /// <exception cref="UsageException">Neither the file nor the user says which network it is.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or does not fit the network.</exception>
    public static LoadedNetwork Load(Device device, string path, WeightChoice choice, Action<string> note, Shape? images = null)
    {
        string file = CheckpointFile.At(path);
        using WeightFile opened = WeightFile.Open(file, choice.Key);
        var (found, notes) = Find(opened, file, choice, images);
        Require(file, found, choice);
        found = found with { Net = found.Family.Build(device, found.Spec, seed: 0) };
        found.Net.Load(State(found));
        foreach (string line in notes.Concat(Untouched(found.Report))) note(line);
        return new LoadedNetwork(file, found.Spec, found.Net, found.Report,
            SaidIn(opened, file) is not null || found.Weights.Normalization is not null);
    }

    /// <summary>Which network an open file holds, and where; the network has no values yet.</summary>
    /// <exception cref="UsageException">Neither the file nor the user says which network it is, and its names and shapes are of
    /// none.</exception>
    internal static (FittedWeights Found, IReadOnlyList<string> Notes) Find(WeightFile opened, string file, WeightChoice choice,
        Shape? images = null)
    {
        string? name = choice.Model ?? SaidIn(opened, file)?.Name;
        var search = new WeightSearch(name is null ? ModelCatalog.All : [FamilyOf(name, file)],
            (family, weights) => SpecOf(file, family, opened, weights, choice, images));
        FittedWeights found = search.Best(opened);
        if (name is null) found = Recognized(file, found, search.Partner);
        return (found, [.. found.Weights.Notes, .. search.Notes, .. Guesses(opened, file, found, choice, name)]);
    }

    private static FittedWeights Recognized(string file, FittedWeights found, string? partner)
    {
        if (found.Report.Fits && partner is not null)
            throw new UsageException(
                $"'{file}' holds more than one network: '{found.Weights.Place}' is a {found.Family.Named(found.Spec).Name}, and "
                    + $"'{partner}' "
                    + $"is of another; give --model and --key if the first is what you want.");
        if (!found.Report.Fits)
            throw new UsageException(
                $"'{file}' does not say which model it holds: give --model NAME ('rpat models' lists them); the nearest is "
                    + $"{found.Family.Name}, with {found.Report.Problems}.");
        ModelSpec named = found.Family.Named(found.Spec);
        return ModelCatalog.Find(named.Name) is { } family ? found with { Family = family, Spec = named } : found;
    }

    // What the file does not say, and the user should check.
    private static IEnumerable<string> Guesses(WeightFile opened, string file, FittedWeights found, WeightChoice choice, string? name)
    {
        if (name is null) yield return $"names and shapes are those of {found.Spec.Name}";
        if (name is null && found.Family.Doubt is { } doubt) yield return doubt;
        if (SaidIn(opened, file) is not null || choice.SaysInputs || found.Weights.Normalization is not null) yield break;
        if (found.Spec.StandardizesImages)
            yield return "the file's name says that each image is standardised by its own mean and deviation";
        else if (found.Spec.Normalization is { } n)
            yield return $"mean {Some(n.Mean)} and deviation {Some(n.Std)} are not in the file but inside the published network: give "
                + "--mean and --std for others";

        static string Some(IReadOnlyList<float> values) => string.Join(',', values.Select(v => v.ToString(CultureInfo.InvariantCulture)));
    }

    private static void Require(string file, FittedWeights found, WeightChoice choice)
    {
        var (name, report) = (found.Spec.Name, found.Report);
        if (Given(choice, found.Weights, found.Spec) is { } n)
            foreach (var (option, values) in new[] { ("--mean", n.Mean), ("--std", n.Std) })
                if (values.Count != found.Spec.Input.C) throw new UsageException(
                    $"{(choice.Mean.Count > 0 ? option : "the normalisation in the file")} has {Format.Count(values.Count, "value")}, "
                    + $"the network's images {Format.Count(found.Spec.Input.C, "channel")}: give --mean and --std one for each, or one for all.");
        string place = found.Weights.Place.Length > 0 ? $" under '{found.Weights.Place}'" : "";
        if (choice.Strict && !report.Fits)
            throw new CheckpointException(
                $"'{file}' does not hold the weights of {name}{place}: {report.Problems}{Hint(report)}; choose another model.");
        if (2 * found.Fitting < found.Wanted)
            throw new CheckpointException(
                $"'{file}' holds only {found.Fitting} of the {found.Wanted} tensors of {name}{place}: {report.Problems}{Hint(report)}; "
                + "choose another model, or another part of the file.");
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

    private static ModelSpec? SaidIn(WeightFile opened, string file) =>
        ModelMetadata.IsIn(opened.Metadata) ? ModelMetadata.Read(opened.Metadata, file) : null;

    private static ModelFamily FamilyOf(string name, string file) => ModelCatalog.Find(CatalogNames.Models.Match(name)
        ?? throw RunPlugins.Or(file, CatalogNames.UnknownModel(name)))!;

    private static ModelSpec SpecOf(string file, ModelFamily family, WeightFile opened, ModelWeights weights, WeightChoice choice,
        Shape? images)
    {
        ModelSpec? said = SaidIn(opened, file);
        var shapes = weights.Entries.ToDictionary(pair => pair.Key, pair => pair.Value.Shape);
        ModelSpec spec = said is not null && said.Name == family.Name ? said
            : family.Fit(new ModelSpec(family.Name, UsualSize(shapes, family), 10), shapes);
        if (images is { } size) spec = spec with { Input = spec.Input with { H = size.H, W = size.W } };
        bool isOwn = said?.Name == family.Name;
        PublishedInput? published = isOwn || choice.SaysInputs ? null : PublishedInput.Of(file, spec.Classes);
        return family.Complete(spec with
        {
            Normalization = Normalization(choice, weights, spec,
                isOwn ? null : published?.Normalization ?? family.UnsavedNormalization(spec.Classes)),
            StandardizesImages = choice.Standardizes || (isOwn ? spec.StandardizesImages : published is { Normalization: null }),
        });
    }

    // Weights do not show the size of the images: CIFAR's for colour, MNIST's for grey ones.
    private static Shape UsualSize(Dictionary<string, long[]> shapes, ModelFamily family) =>
        family.Fit(new ModelSpec(family.Name, new Shape(1, 3, 32, 32), 10), shapes).Input.C == 1 ? new Shape(1, 1, 28, 28)
        : new Shape(1, 3, 32, 32);

    private static (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization(WeightChoice choice, ModelWeights weights,
        ModelSpec spec, (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? usual)
    {
        if (choice.Standardizes) return null;
        var normalization = Given(choice, weights, spec) ?? spec.Normalization ?? usual;
        return normalization is { } n && (n.Mean.Count, n.Std.Count) == (spec.Input.C, spec.Input.C) ? n : null;
    }

    // One given number is that of every channel.
    private static (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Given(WeightChoice choice, ModelWeights weights,
        ModelSpec spec) =>
        choice.Mean.Count == 0 ? weights.Normalization : (Spread(choice.Mean, spec), Spread(choice.Std, spec));

    private static IReadOnlyList<float> Spread(IReadOnlyList<float> values, ModelSpec spec) =>
        values is [var one] ? [.. Enumerable.Repeat(one, spec.Input.C)] : values;

    private static Dictionary<string, NamedArray> State(FittedWeights found)
    {
        var (_, weights, _, net, report) = found;
        HashSet<string> unfit = [.. report.Missing, .. report.Reshaped.Select(r => r.Name)];
        return net.State().ToDictionary(own => own.Name,
            own => !unfit.Contains(own.Name) && weights.Entries.ContainsKey(own.Name) ? weights.Load(own.Name) : own);
    }
}
