using System.Reflection;
using Rpat.Robust.Settings;

namespace Rpat.Training.Weights;

/// <summary>How a network's specification is represented in the configuration and in the metadata of its checkpoint.</summary>
internal static class ModelMetadata
{
    // A file of a few bytes may ask for no larger network than a configuration.
    private static readonly int MostWide = Most(nameof(ModelSection.Width)), MostBlocks = Most(nameof(ModelSection.Blocks));

    private const string Prefix = "rpat.model.";
    private const string Mean = "rpat.input_mean";
    private const string Std = "rpat.input_std";
    private const string Standardized = "rpat.input_standardized";

    /// <summary>The configured network for a data set.</summary>
    public static ModelSpec SpecOf(ModelSection model, LabeledImages images) => ModelCatalog.Find(model.Name)!.Complete(
        new ModelSpec(model.Name, new Shape(1, images.Channels, images.Height, images.Width),
            model.Classes == 0 ? images.ClassNames.Count : model.Classes)
        {
            Width = model.Width,
            Blocks = model.Blocks,
            StemStride = model.StemStride,
            Normalization = model.Mean.Count == 0 ? null : (model.Mean, model.Std),
        });

    /// <summary>The specification as checkpoint metadata.</summary>
    public static Dictionary<string, string> Write(ModelSpec spec)
    {
        var metadata = new Dictionary<string, string>
        {
            [Prefix + "name"] = spec.Name,
            [Prefix + "width"] = Text(spec.Width),
            [Prefix + "blocks"] = Text(spec.Blocks),
            [Prefix + "stem_stride"] = Text(spec.StemStride),
            [Prefix + "classes"] = Text(spec.Classes),
            [Prefix + "input"] = string.Create(CultureInfo.InvariantCulture, $"{spec.Input.C}x{spec.Input.H}x{spec.Input.W}"),
        };
        if (spec.Heads > 0) metadata[Prefix + "heads"] = Text(spec.Heads);
        if (spec.Stages.Length > 0) metadata[Prefix + "stages"] = spec.Stages;
        if (spec.StandardizesImages) metadata[Standardized] = "true";
        if (spec.Normalization is not { } normalization) return metadata;
        metadata[Mean] = Text(normalization.Mean);
        metadata[Std] = Text(normalization.Std);
        return metadata;
    }

    /// <summary>Whether a file records which network it holds.</summary>
    public static bool IsIn(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(Prefix + "name");

    /// <summary>Reads a specification back.</summary>
    /// <exception cref="CheckpointException">The file has values that no network has.</exception>
    public static ModelSpec Read(IReadOnlyDictionary<string, string> metadata, string path)
    {
        int[] input = [.. Value("input").Split('x').Select(text => Number(text, 1))];
        if (input.Length != 3) throw Bad("input");
        return new ModelSpec(Value("name"), new Shape(1, input[0], input[1], input[2]), Number(Value("classes"), 1))
        {
            Width = Number(Value("width"), 0, MostWide),
            Blocks = Number(Value("blocks"), 0, MostBlocks),
            StemStride = metadata.TryGetValue(Prefix + "stem_stride", out string? stride) ? Number(stride, 0) : 0,
            Heads = metadata.TryGetValue(Prefix + "heads", out string? heads) ? Number(heads, 1) : 0,
            Stages = metadata.TryGetValue(Prefix + "stages", out string? stages) ? Stages(stages) : "",
            Normalization = metadata.ContainsKey(Mean) ? (Numbers(Mean), Numbers(Std)) : null,
            StandardizesImages = metadata.GetValueOrDefault(Standardized) == "true",
        };

        string Value(string key) => metadata.TryGetValue(Prefix + key, out string? value) ? value : throw Bad(Prefix + key);
        string Stages(string text) => ModelSpec.AreStages(text) ? text : throw Bad(text);
        int Number(string text, int least, int most = 1_000_000) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n >= least && n <= most ? n
            : throw Bad(text);
        float[] Numbers(string key) => [.. (metadata.TryGetValue(key, out string? text) ? text : "").Split(',').Select(Real)];
        float Real(string text) =>
            float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float n) ? n : throw Bad(text);
        CheckpointException Bad(string what) =>
            new($"'{path}' does not say soundly which model it holds ('{what}' in its metadata): give its model's name, or a checkpoint "
                + $"that rpat wrote.");
    }

    private static int Most(string setting) =>
        (int)typeof(ModelSection).GetProperty(setting)!.GetCustomAttribute<SettingAttribute>()!.Max;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(IEnumerable<float> numbers) =>
        string.Join(',', numbers.Select(n => n.ToString("R", CultureInfo.InvariantCulture)));
}

/// <summary>Names inside a run folder.</summary>
internal static class CheckpointFile
{
    /// <summary>The network's state, loadable by PyTorch under its names.</summary>
    public const string Name = "model.safetensors";

    /// <summary>The network that validation found the most robust, if there is a validation.</summary>
    public const string Best = "best.safetensors";

    /// <summary>The folder of the checkpoints.</summary>
    public const string Folder = "checkpoints";

    /// <summary>The file of a run's network: the most robust one, the last one, or the newest checkpoint; null without any.</summary>
    public static string? Of(string run)
    {
        string checkpoints = Path.Combine(run, Folder);
        return new[] { Best, Name }.Select(name => Path.Combine(run, name)).FirstOrDefault(File.Exists)
            ?? (Directory.Exists(checkpoints) ? Directory.GetFiles(checkpoints, "step-*.safetensors").Order(StringComparer.Ordinal) : null)
                ?.LastOrDefault();
    }

    /// <summary>The file of a checkpoint: that of a run folder's network, or the path itself.</summary>
    /// <exception cref="CheckpointException">The folder has none.</exception>
    public static string At(string path) => !Directory.Exists(path) ? path : Of(path) ?? throw new CheckpointException(
        $"folder '{path}' has neither '{Name}' nor a checkpoint: give a run that has saved one, or a file.");
}
