using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Engine.Nn;
using Rpat.Models;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Training;

namespace Rpat.Trainer.Weights;

/// <summary>A network with the weights of a file.</summary>
/// <param name="Path">The file, also when a run folder was given.</param>
/// <param name="Spec">What was built.</param>
/// <param name="Net">The network.</param>
/// <param name="Report">What of the file did not fit; nothing unless that was allowed.</param>
/// <param name="Notes">How the file was read, each without a full stop.</param>
internal sealed record LoadedNetwork(string Path, ModelSpec Spec, FeatureClassifier Net, StateReport Report, IReadOnlyList<string> Notes);

/// <summary>Opens networks from files of any kind: finds out what the file holds, builds it, and takes the weights over.</summary>
internal static class NetworkFile
{
    // The last layer and its names in the two halves of the official code and elsewhere.
    private static readonly string[] _heads = ["linear.", "fc.", "logits.", "classifier."];

    /// <summary>Loads a network.</summary>
    /// <param name="device">Where it shall live.</param>
    /// <param name="path">A run folder or a file.</param>
    /// <param name="choice">What the user says of it.</param>
    /// <param name="images">Size of the images that it will see, or null for what the file says, else the model's usual size.</param>
    /// <exception cref="UsageException">Nobody says which network it is.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or does not fit the network.</exception>
    public static LoadedNetwork Load(Device device, string path, WeightChoice choice, Shape? images = null)
    {
        string file = FileOf(path);
        using WeightFile opened = WeightFile.Open(file, choice.Key);
        ModelWeights weights = ModelWeights.Of(opened);
        var (family, spec) = SpecOf(file, opened, weights, choice, images);
        weights.RenamePrefix(_heads, family.HeadPrefix);
        FeatureClassifier net = family.Build(device, spec, seed: 0);
        StateReport report = StateReport.Of(net, Shapes(net, weights));
        if (choice.Strict && !report.Fits)
            throw new CheckpointException(
                $"'{file}' does not hold the weights of {spec.Name}: {report.Problems}; choose another --model, or take what fits with --no-strict.");
        net.Load(State(net, weights, report));
        return new LoadedNetwork(file, spec, net, report, weights.Notes);
    }

    /// <summary>The weights' file of a run folder, or the path itself.</summary>
    /// <exception cref="CheckpointException">The folder is not a run folder.</exception>
    public static string FileOf(string path)
    {
        if (!Directory.Exists(path)) return path;
        string best = Path.Combine(path, CheckpointFile.Best), file = Path.Combine(path, CheckpointFile.Name);
        return File.Exists(best) ? best : File.Exists(file) ? file : throw new CheckpointException($"folder '{path}' has no '{CheckpointFile.Name}': give a run folder or a file.");
    }

    private static (ModelFamily Family, ModelSpec Spec) SpecOf(string file, WeightFile opened, ModelWeights weights, WeightChoice choice, Shape? images)
    {
        ModelSpec? said = ModelMetadata.IsIn(opened.Metadata) ? ModelMetadata.Read(opened.Metadata, file) : null;
        string name = choice.Model ?? said?.Name
            ?? throw new UsageException($"'{file}' does not say which model it holds: give --model NAME (models: {Names}).");
        ModelFamily family = ModelCatalog.Find(name)
            ?? throw new UsageException($"there is no model '{name}': {Nearest.Hint(name, [.. ModelCatalog.All.Select(f => f.Name)], "models")}");
        var shapes = weights.Entries.ToDictionary(pair => pair.Key, pair => pair.Value.Shape);
        ModelSpec spec = said is not null && said.Name == name ? said : family.Fit(new ModelSpec(name, UsualSize(shapes, family), 10), shapes);
        if (images is { } size) spec = spec with { Input = spec.Input with { H = size.H, W = size.W } };
        return (family, family.Complete(spec with { Normalization = Normalization(choice, weights, spec) }));
    }

    private static string Names => string.Join(", ", ModelCatalog.All.Select(family => family.Name));

    // Weights do not show the size of the images: CIFAR's for colour, MNIST's for grey ones.
    private static Shape UsualSize(Dictionary<string, long[]> shapes, ModelFamily family) =>
        family.Fit(new ModelSpec(family.Name, new Shape(1, 3, 32, 32), 10), shapes).Input.C == 1 ? new Shape(1, 1, 28, 28) : new Shape(1, 3, 32, 32);

    private static (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization(WeightChoice choice, ModelWeights weights, ModelSpec spec)
    {
        var normalization = choice.Mean.Count > 0 ? (choice.Mean, choice.Std) : weights.Normalization ?? spec.Normalization;
        if (normalization is { } n && n.Mean.Count != spec.Input.C)
            throw new UsageException($"the normalisation has {n.Mean.Count} channels, the network's images have {spec.Input.C}: give --mean and --std for each.");
        return normalization;
    }

    // Batch counts came with PyTorch 0.4.1; older files simply lack them.
    private static Dictionary<string, long[]> Shapes(Module net, ModelWeights weights)
    {
        var shapes = weights.Entries.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal);
        foreach (BatchNorm2d norm in net.BatchNorms) shapes.TryAdd(norm.CountName, []);
        return shapes;
    }

    private static Dictionary<string, NamedArray> State(Module net, ModelWeights weights, StateReport report)
    {
        HashSet<string> unfit = [.. report.Missing, .. report.Reshaped.Select(r => r.Name)];
        return net.State().ToDictionary(own => own.Name, own => !unfit.Contains(own.Name) && weights.Entries.ContainsKey(own.Name) ? Taken(own, weights) : own);
    }

    private static NamedArray Taken(NamedArray own, ModelWeights weights)
    {
        NamedArray array = weights.Load(own.Name);
        bool isReal = array.Type is ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64 or ElementType.C64;
        bool isCount = own.Type == ElementType.I64, isInteger = !isReal;
        if (isCount == isInteger) return array;
        return isCount ? NamedArray.FromInt64(own.Name, [(long)array.ToFloats()[0]]) : NamedArray.FromFloats(own.Name, array.ToFloats(), array.Shape);
    }
}
