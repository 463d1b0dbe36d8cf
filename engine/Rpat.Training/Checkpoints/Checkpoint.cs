using System.Text.Json.Serialization;

namespace Rpat.Training.Checkpoints;

/// <summary>
/// All that a run needs to resume bit for bit, in one safetensors file: the network under <c>net.</c>, the training step's state under its
/// own prefixes, and in the metadata the trainer state and the SHA-256 of the file. Random numbers need no state: they are a function of
/// their index.
/// </summary>
internal static class Checkpoint
{
    private const string NetPrefix = "net.";
    private const string Key = "rpat.checkpoint";

    /// <summary>How a trainer state is written.</summary>
    public static JsonSerializerOptions Format { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Writes a checkpoint as one step; on any failure there is no new file and older ones are unchanged.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Module net, ITrainingState state, TrainerState standing,
        IReadOnlyDictionary<string, string> metadata)
    {
        var arrays = net.State().Select(array => array with { Name = NetPrefix + array.Name }).Concat(state.State());
        var said = new Dictionary<string, string>(metadata) { [Key] = JsonSerializer.Serialize(standing, Format) };
        Safetensors.Write(path, arrays, said, digest: true);
    }

    /// <summary>The trainer state of a checkpoint, without its arrays.</summary>
    /// <exception cref="CheckpointException">The file is damaged, or not a checkpoint of this program's version.</exception>
    public static TrainerState ReadStanding(string path)
    {
        using var file = Safetensors.Read(path);
        return StandingOf(file);
    }

    /// <summary>The same after the whole file was checked against its SHA-256.</summary>
    /// <param name="note">Called if the file has none, such as files of earlier versions.</param>
    /// <exception cref="CheckpointException">The file is damaged, or not a checkpoint of this program's version.</exception>
    public static TrainerState ReadSound(string path, Action<string> note)
    {
        using var file = Safetensors.Read(path);
        file.CheckDigest();
        if (!file.HasDigest) note($"note: '{path}' was written without a SHA-256, so that damage to it cannot be seen.");
        return StandingOf(file);
    }

    /// <summary>Puts network and state back as they were.</summary>
    /// <returns>The trainer state.</returns>
    /// <exception cref="CheckpointException">The file is damaged, or does not fit network or method.</exception>
    public static TrainerState Load(string path, Module net, ITrainingState state)
    {
        using var file = Safetensors.Read(path);
        file.CheckDigest();
        var standing = StandingOf(file);
        var arrays = file.Tensors.Keys.Select(file.Load).ToDictionary(array => array.Name);
        net.Load(arrays.Where(pair => pair.Key.StartsWith(NetPrefix, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[NetPrefix.Length..], pair => pair.Value));
        state.LoadState(arrays);
        return standing;
    }

    private static TrainerState StandingOf(SafetensorsFile file)
    {
        try
        {
            string text = file.Metadata.GetValueOrDefault(Key) ?? throw new JsonException($"no '{Key}' in its metadata");
            return JsonSerializer.Deserialize<TrainerState>(text, Format) ?? throw new JsonException("it is null");
        }
        catch (JsonException error)
        {
            throw new CheckpointException(
                $"'{file.Path}' is not a training checkpoint that this version can resume from ({error.Message.TrimEnd('.')}): name "
                    + $"another run, or start again.", error);
        }
    }
}
