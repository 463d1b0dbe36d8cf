namespace Rpat.Training.Weights;

/// <summary>A state dict of a file and the network that it was compared with.</summary>
internal sealed record FittedWeights(ModelFamily Family, ModelWeights Weights, ModelSpec Spec, FeatureClassifier Net, StateReport Report)
{
    /// <summary>The network's tensors, except its batch counts.</summary>
    public int Wanted { get; } = Net.StateShapes().Count() - Net.BatchNorms.Count();

    /// <summary>The number of them that the file has with the same sizes.</summary>
    public int Fitting => Wanted - Unfit;

    /// <summary>The number of the network's tensors that the file does not have.</summary>
    public int Unfit => Report.Missing.Count + Report.Reshaped.Count;
}

/// <summary>
/// Finds the one state dict of a file that fits a network: files also hold averages, optimizers, losses and numbers. Of those that fit
/// equally well the plain one is used, and the others are named. With several families it also finds out which network a file holds.
/// Names and shapes are compared with networks on a meta device, which have no values.
/// </summary>
internal sealed class WeightSearch(IReadOnlyList<ModelFamily> families, Func<ModelFamily, ModelWeights, ModelSpec> specOf)
{
    private const int MostNames = 6;

    // The last layer in the two halves of the official code and elsewhere.
    private static readonly string[] _heads = ["linear.", "fc.", "logits.", "classifier."];

    // The names under which public code stores its weights, the most frequent first.
    private static readonly string[] _usual =
        ["state_dict", "model_state_dict", "model", "net", "rmodel", "ema", "state_dict_ema", "model_ema", "last", "best"];

    // Words in the names of copies of the trained network, and of things that are not networks.
    private static readonly HashSet<string> _copies = ["ema", "swa", "wa", "averaged", "average", "avg", "teacher", "target", "momentum",
        "attacker", "shadow", "old", "init"];

    private static readonly HashSet<string> _training =
        ["optimizer", "optimizers", "optim", "opt", "scheduler", "schedulers", "callbacks", "loops", "scaler", "criterion", "loss",
        "metric", "metrics", "acc", "accuracy"];

    private readonly MetaDevice _shapes = new();
    private readonly List<string> _notes = [];

    /// <summary>What a user should know about the choice, each without a full stop.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>A convolution of another network in the file, of which the one found is then only a part; null for none.</summary>
    public string? Partner { get; private set; }

    /// <summary>The first few of some names, and how many more there are.</summary>
    public static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");

    /// <summary>The state dict that fits best, even when it does not fit.</summary>
    /// <exception cref="CheckpointException">The file holds no tensor, or cannot be read.</exception>
    public FittedWeights Best(WeightFile file)
    {
        FittedWeights[] all =
        [
            .. Likely(file).SelectMany(family => In(file, family))
                .OrderBy(found => found.Unfit).ThenBy(found => found.Report.Unexpected.Count)
                .ThenBy(found => Usual(found.Weights.Place)).ThenBy(found => Words(found.Weights.Place).Count(_copies.Contains)),
        ];
        FittedWeights best = all[0];
        string[] equal =
            [.. all.Where(other => best.Report.Fits && other.Report.Fits).Select(other => other.Weights.Place).Distinct().Skip(1)];
        if (equal.Length > 0) _notes.Add($"the weights under {Some([.. equal.Select(Quoted)])} fit as well: choose with --key");
        Partner = PartnerOf(file, best, equal);
        if (best.Weights.Beside.Count > 0) _notes.Add($"left out: {Some([.. Groups(best.Weights)])}");
        return best;
    }

    // Of several families those whose first layer is in the file.
    private IReadOnlyList<ModelFamily> Likely(WeightFile file)
    {
        ModelFamily[] likely = [.. families.Where(family => file.Tensors.Any(t => t.Name.EndsWith(family.Stem, StringComparison.Ordinal)))];
        return likely.Length > 0 ? likely : families;
    }

    private static string? PartnerOf(WeightFile file, FittedWeights best, IReadOnlyList<string> equal)
    {
        var beside = best.Weights.Beside.ToHashSet(StringComparer.Ordinal);
        return file.Tensors.Where(tensor => tensor.Shape.Length == 4 && beside.Contains(tensor.Name))
            .Select(tensor => tensor.Name).FirstOrDefault(name => !best.Family.Unused.Any(name.Contains)
                && !name.Split('.').SelectMany(Words).Any(word => _training.Contains(word) || _copies.Contains(word))
                && !equal.Any(place => name.StartsWith(place + ".", StringComparison.Ordinal)));
    }

    private IEnumerable<FittedWeights> In(WeightFile file, ModelFamily family)
    {
        string[] heads = [family.HeadPrefix, .. _heads];
        return ModelWeights.In(file, [.. heads.Distinct().Select(head => head + "weight")], family.Stem).Select(w => Fitted(family, w));
    }

    private FittedWeights Fitted(ModelFamily family, ModelWeights weights)
    {
        weights.RenamePrefix(_heads, family.HeadPrefix);
        ModelSpec spec = specOf(family, weights);
        FeatureClassifier net = family.Build(_shapes, spec, seed: 0);
        HashSet<string> own = [.. net.StateShapes().Select(tensor => tensor.Name)];
        weights.LeaveOut((name, entry) => !own.Contains(name)
            && (IsForeign(family, name, entry) || weights.Inner.Any(inner => name.StartsWith(inner, StringComparison.Ordinal))));
        return new FittedWeights(family, weights, spec, net, StateReport.Of(net, Shapes(net, weights)));
    }

    private static bool IsForeign(ModelFamily family, string name, WeightEntry entry)
    {
        if (entry.Type is null) return true;
        bool isNumber = !name.Contains('.') && entry.Shape.All(size => size == 1);
        return isNumber || family.Unused.Any(unused => name.Contains(unused, StringComparison.Ordinal))
            || name.Split('.').Take(2).SelectMany(Words).Any(_training.Contains);
    }

    // Batch counts came with PyTorch 0.4.1; older files simply lack them.
    private static Dictionary<string, long[]> Shapes(Module net, ModelWeights weights)
    {
        var shapes = weights.Entries.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal);
        foreach (BatchNorm2d norm in net.BatchNorms) shapes.TryAdd(norm.CountName, []);
        return shapes;
    }

    private static int Usual(string place) =>
        Array.IndexOf(_usual, place.Split('.')[0]) is >= 0 and var index ? index : place.Length == 0 ? -1 : _usual.Length;

    private static string[] Words(string name) => name.ToLowerInvariant().Split('.', '_');

    private static string Quoted(string place) => place.Length > 0 ? $"'{place}'" : "no name";

    // Everything below the first name that is not part of the network is one group.
    private static IEnumerable<string> Groups(ModelWeights weights)
    {
        string[] place = weights.Place.Split('.');
        return weights.Beside.GroupBy(name => Group(name.Split('.'), place))
            .Select(group => group.Count() == 1 ? group.Single() : $"{group.Key}.* ({group.Count()} tensors)");
    }

    private static string Group(string[] parts, string[] place)
    {
        int common = 0;
        while (common < place.Length && common < parts.Length - 1 && parts[common] == place[common]) common++;
        return string.Join('.', parts.Take(common + 1));
    }
}
