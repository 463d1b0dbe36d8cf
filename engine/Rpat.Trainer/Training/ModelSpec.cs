using System.Globalization;
using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Engine.Nn;
using Rpat.Models;
using Rpat.Trainer.Config;

namespace Rpat.Trainer.Training;

/// <summary>Everything that is needed to build a network again; stored in the metadata of its checkpoint.</summary>
/// <param name="Name">Family, as in <c>model.name</c>.</param>
/// <param name="Width">Channels of the first stage, or the widening factor.</param>
/// <param name="Blocks">Residual blocks a stage.</param>
/// <param name="Classes">Number of logits.</param>
/// <param name="Input">Channels, height and width of an image.</param>
internal sealed record ModelSpec(string Name, int Width, int Blocks, int Classes, Shape Input)
{
    private const string Prefix = "rpat.model.";

    /// <summary>The configured network for a data set.</summary>
    public static ModelSpec Of(ModelSection model, LabeledImages images) => new(
        model.Name, model.Width, model.Blocks, model.Classes == 0 ? images.ClassNames.Count : model.Classes,
        new Shape(1, images.Channels, images.Height, images.Width));

    /// <summary>Builds the network.</summary>
    public Classifier Build(Device device, ulong seed) => new PreActResNet(
        device, new PreActResNetOptions { Input = Input, Classes = Classes, Width = Width, BlocksPerStage = Blocks }, seed);

    /// <summary>The specification as checkpoint metadata.</summary>
    public Dictionary<string, string> ToMetadata() => new()
    {
        [Prefix + "name"] = Name,
        [Prefix + "width"] = Width.ToString(CultureInfo.InvariantCulture),
        [Prefix + "blocks"] = Blocks.ToString(CultureInfo.InvariantCulture),
        [Prefix + "classes"] = Classes.ToString(CultureInfo.InvariantCulture),
        [Prefix + "input"] = string.Create(CultureInfo.InvariantCulture, $"{Input.C}x{Input.H}x{Input.W}"),
    };

    /// <summary>Reads it back.</summary>
    /// <exception cref="CheckpointException">The file does not say which network it holds.</exception>
    public static ModelSpec FromMetadata(IReadOnlyDictionary<string, string> metadata, string path)
    {
        int[] input = [.. Value("input").Split('x').Select(Number)];
        if (input.Length != 3) throw Bad("input");
        return new ModelSpec(Value("name"), Number(Value("width")), Number(Value("blocks")), Number(Value("classes")), new Shape(1, input[0], input[1], input[2]));

        string Value(string key) => metadata.TryGetValue(Prefix + key, out string? value) ? value : throw Bad(key);
        int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : throw Bad(text);
        CheckpointException Bad(string key) => new($"{path} does not say which model it holds ('{Prefix}{key}' in its metadata): give a checkpoint that rpat train wrote.");
    }
}
