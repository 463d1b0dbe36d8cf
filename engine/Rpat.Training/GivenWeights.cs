using Rpat.Engine;
using Rpat.Engine.Nn;
using Rpat.Models;

namespace Rpat.Training;

/// <summary>Networks that a run takes from files.</summary>
internal static class GivenWeights
{
    /// <summary>The state of a file's network, which must be of the run's kind.</summary>
    /// <exception cref="ConfigException">The file is not there.</exception>
    /// <exception cref="CheckpointException">It is damaged, or holds another network.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Of(string path, Device device, ModelSpec model) =>
        Load("model.weights", path, device, model).State().ToDictionary(array => array.Name);

    /// <summary>A method's frozen teacher.</summary>
    /// <exception cref="ConfigException">It is not given, or not there.</exception>
    public static Classifier Teacher(string name, MethodSection method, Device device, ModelSpec model) =>
        method.Teachers.Of(name) is { Length: > 0 } path
            ? Load($"method.teachers.{name}", path, device, model)
            : throw new ConfigException($"{method.Name} learns from a {name} teacher: give its run folder or weights as method.teachers.{name}.");

    private static Classifier Load(string key, string path, Device device, ModelSpec model)
    {
        if (!Path.Exists(path)) throw new ConfigException($"{key} is '{path}', which is not there: give a run folder or a file of weights.");
        using WeightFile opened = WeightFile.Open(NetworkFile.FileOf(path));
        var choice = new WeightChoice(ModelMetadata.IsIn(opened.Metadata) ? null : model.Name, null, [], [], Strict: true);
        return NetworkFile.Load(device, path, choice, model.Input).Net;
    }
}
