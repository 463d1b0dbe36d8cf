using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Training;

/// <summary>The method that a configuration names, with the configured modifiers, and the networks that it needs.</summary>
internal static class MethodFactory
{
    /// <summary>Makes the method.</summary>
    /// <exception cref="ConfigException">Something that it needs is not given.</exception>
    public static Objective Make(TrainerConfig config)
    {
        var (method, info) = (config.Method, config.Method.Info);
        var objective = method.Perturbed(Pgd(config.Attack));
        if (info.WantsWeights && config.Model.Weights.Length == 0 && objective.InEpoch(1) is not Clean)
            throw new ConfigException(
                $"{info.Name} starts from a network trained on clean images: give its run folder as model.weights, or epochs as "
                    + $"method.warmup.");
        objective = new LabelSmoothing((float)config.Train.LabelSmoothing).On(objective);
        if (Averaging(config.Average) is { } average) objective = average.On(objective);
        return method.HasRpat ? method.Rpat.On(objective) : objective;
    }

    /// <summary>The networks other than the trained one; teachers are read from their files.</summary>
    /// <param name="method">The method as it is configured: one of weight 0 need not be given.</param>
    /// <param name="note">Receives how a file was read.</param>
    /// <exception cref="ConfigException">A teacher is not given.</exception>
    public static AuxiliaryModels Companions(TrainerConfig config, Objective method, Device device, ModelSpec model, ulong seed,
        Action<string> note) => new()
        {
            Twin = () => ModelCatalog.Build(device, model, seed),
            Teachers = method.AllTeachers.Union(config.Method.Info.Teachers.Where(
            name => config.Method.Teachers.Of(name).Length > 0)).ToDictionary(
            name => name, name => PretrainedWeights.Teacher(name, config, device, model, note)),
        };

    /// <summary>The training attack under the run's threat model; values that are left to the method stay unset.</summary>
    public static PgdOptions Pgd(AttackSection a)
    {
        var options = new PgdOptions
        {
            Norm = a.Norm,
            Eps = (float)a.Eps,
            StepSize = (float)a.Step,
            Steps = a.Steps,
            Restarts = a.Restarts,
        };
        if (a.Start is { } start) options = options with { Start = start };
        return a.BatchNorm is { } bn ? options with { Bn = bn } : options;
    }

    private static Averaging? Averaging(AverageSection a) => (a.Ema, a.Swa) switch
    {
        ( > 0, _) => new EmaAveraging((float)a.Ema, a.Start, WarmUp: a.WarmUp) { Report = a.Report },
        (_, > 0) => new SwaAveraging(a.Swa) { Report = a.Report },
        _ => null,
    };
}

/// <summary>Networks that a run takes from files.</summary>
internal static class PretrainedWeights
{
    /// <summary>SHA-256 of what a run's frozen networks hold; null without any.</summary>
    public static string? Digest(AuxiliaryModels companions) => companions.Teachers.Count == 0 ? null
        : EvaluationManifest.HashOf([.. companions.Teachers.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .SelectMany(pair => pair.Value.State()).Select(array => array.Data.ToArray())])[..32];

    /// <summary>The state of a file's network, which must have the run's architecture.</summary>
    /// <exception cref="ConfigException">The file does not exist, or its network sees other images than the run's.</exception>
    /// <exception cref="CheckpointException">It is damaged, or holds another network.</exception>
    /// <param name="mustFit">Whether such a network is refused; a run that is resumed has begun with it.</param>
    public static IReadOnlyDictionary<string, NamedArray> Of(TrainerConfig config, Device device, ModelSpec model,
        Action<string> note, bool mustFit)
    {
        var (loaded, isSaid) = Load("model.weights", config.Model.Weights, config, device, model, note);
        if (Misfit(loaded, isSaid, model) is { } sentence)
        {
            if (mustFit) throw new ConfigException(sentence);
            note(sentence);
        }
        return loaded.Net.State().ToDictionary(array => array.Name);
    }

    // The state has neither what is before the first layer nor strides.
    private static string? Misfit(LoadedNetwork loaded, bool isSaid, ModelSpec model)
    {
        if (loaded.SaysInputs && Before(loaded.Spec) is var theirs && theirs != Before(model))
            return $"model.weights is '{loaded.Path}', a network that {theirs}, and the run's {Before(model)}: set model.mean and model.std "
                + "as there.";
        return isSaid && loaded.Spec.StemStride != model.StemStride ? FormattableString.Invariant(
            $"model.weights is '{loaded.Path}', whose model.stem_stride is {loaded.Spec.StemStride}, and the run's is {model.StemStride}: set it as there.")
            : null;
    }

    private static string Before(ModelSpec spec) => spec.StandardizesImages ? "standardises each image"
        : spec.Normalization is { } n ? $"normalises images by {Text(n.Mean)} and {Text(n.Std)}" : "takes images as they are";

    private static string Text(IReadOnlyList<float> values) =>
        $"[{string.Join(", ", values.Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";

    /// <summary>A method's frozen teacher.</summary>
    /// <exception cref="ConfigException">It is not given, or does not exist.</exception>
    public static Classifier Teacher(string name, TrainerConfig config, Device device, ModelSpec model, Action<string> note) =>
        config.Method.Teachers.Of(name) is { Length: > 0 } path
            ? Load($"method.teachers.{name}", path, config, device,
                config.Method.Teachers.Model is { Length: > 0 } own ? model with { Name = own } : model, note).Network.Net
            : throw new ConfigException(
            $"{config.Method.Name} learns from a {name} teacher: give its run folder or weights as method.teachers.{name}.");

    private static (LoadedNetwork Network, bool SaysItself) Load(string key, string text, TrainerConfig config, Device device,
        ModelSpec model, Action<string> note)
    {
        string path = RunFinder.FindCheckpoint(text, config.Run.Out)
            ?? throw new ConfigException($"{key} is '{text}', which is not there: give a run, its folder or a file of weights.");
        using WeightFile opened = WeightFile.Open(CheckpointFile.At(path));
        bool saysItself = ModelMetadata.IsIn(opened.Metadata);
        var choice = new WeightChoice(saysItself ? null : model.Name, null, [], [], Strict: true);
        return (NetworkFile.Load(device, path, choice, line => note($"{key}: {line}"), model.Input), saysItself);
    }
}
