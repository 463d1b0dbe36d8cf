using System.CommandLine;
using System.Text.Json;
using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Data;
using Rpat.Trainer.Errors;
using Rpat.Trainer.View;
using Rpat.Trainer.Weights;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval</c>: accuracy of a checkpoint, clean and under attack, and its logits.</summary>
internal sealed class EvalCommand
{
    private readonly Host _host;
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _data = new("--data") { Description = "data set, or npz:FILE; see 'rpat data'", HelpName = "SPEC", Required = true };
    private readonly Option<string?> _dataDir = new("--data-dir") { Description = Keys.DataDir.Doc, HelpName = "DIR" };
    private readonly Option<string?> _logits = new("--save-logits") { Description = "keep the clean logits, float32 [N, classes]", HelpName = "FILE.npy" };
    private readonly Option<string?> _json = new("--json") { Description = "keep the results", HelpName = "FILE" };

    private readonly IReadOnlyDictionary<Leaf, Option<string?>> _keys = new Dictionary<Leaf, Option<string?>>
    {
        [Keys.EvalAttacks] = Key("--attacks", "NAME,…", Keys.EvalAttacks),
        [Keys.EvalN] = Key("--n", "N", Keys.EvalN),
        [Keys.EvalBatch] = Key("--batch-size", "N", Keys.EvalBatch, "-b"),
        [Keys.Norm] = Key("--norm", "NAME", Keys.Norm),
        [Keys.Eps] = Key("--eps", "8/255", Keys.Eps),
        [Keys.Step] = Key("--step-size", "2/255", Keys.Step),
        [Keys.Seed] = Key("--seed", "N", Keys.Seed),
        [Keys.Threads] = Key("--threads", "N", Keys.Threads),
    };

    private EvalCommand(Host host) => _host = host;

    /// <summary>The command, for the root to hold.</summary>
    public static Command Create(Host host)
    {
        var eval = new EvalCommand(host);
        var command = new Command("eval", "Measure a checkpoint on held-out images, clean and under attack.") { eval._data, eval._dataDir, eval._logits, eval._json };
        eval._weights.AddTo(command);
        foreach (Option option in eval._keys.Values) command.Add(option);
        command.SetAction(eval.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        DataPair data = DataSets.Open(parsed.GetRequiredValue(_data), parsed.GetValue(_dataDir));
        foreach (string note in data.Notes) _host.Error.WriteLine($"note: {note}");
        LabeledImages images = Value(parsed, Keys.EvalN) is > 0 and var n ? data.Test.Take(n) : data.Test;
        using Device device = Device.Cpu(Value(parsed, Keys.Threads));
        var size = new Shape(1, images.Channels, images.Height, images.Width);
        LoadedNetwork loaded = NetworkFile.Load(device, parsed.GetRequiredValue(_weights.File), _weights.Choice(parsed), size);
        foreach (string note in loaded.Notes) _host.Error.WriteLine($"note: {note}");
        RequireFit(loaded, images);
        EvaluationResult result = Measure(parsed, loaded, images);
        ResultTable.Write(result, _host.Out);
        if (parsed.GetValue(_json) is { } json) AtomicFile.Write(json, stream => WriteJson(stream, loaded, parsed.GetRequiredValue(_data), result));
        return ExitCode.Done;
    }

    private static void RequireFit(LoadedNetwork loaded, LabeledImages images)
    {
        if (loaded.Spec.Input.C != images.Channels)
            throw new UsageException($"'{loaded.Path}' takes images of {loaded.Spec.Input.C} channels, '{images.Name}' has {images.Channels}: choose other --data.");
        if (images.Labels.Any(label => label >= loaded.Spec.Classes))
            throw new UsageException($"'{images.Name}' has labels above the {loaded.Spec.Classes} classes of '{loaded.Path}': choose other --data.");
    }

    private EvaluationResult Measure(ParseResult parsed, LoadedNetwork loaded, LabeledImages images)
    {
        var evaluator = new Evaluator(loaded.Net, Value(parsed, Keys.EvalBatch));
        float[] logits = evaluator.Logits(images);
        if (parsed.GetValue(_logits) is { } path) Npy.Write(path, NamedArray.FromFloats("logits", logits, images.Count, loaded.Spec.Classes));
        var scores = new List<Score>();
        foreach (EvalAttack attack in Value(parsed, Keys.EvalAttacks))
        {
            Accuracy accuracy = attack.Steps == 0
                ? Predictions.Accuracy(logits, images.Labels)
                : evaluator.Run(images, Attack(parsed, attack.Steps), (ulong)Value(parsed, Keys.Seed));
            scores.Add(new Score(attack.Title, attack.Steps == 0, accuracy.Fraction));
        }
        return new EvaluationResult(images.Count, Threat(parsed), scores);
    }

    private PgdOptions Attack(ParseResult parsed, int steps) => new()
    {
        Norm = Value(parsed, Keys.Norm) == AttackNorm.Linf ? Norm.Linf : Norm.L2,
        Eps = (float)Value(parsed, Keys.Eps),
        StepSize = (float)Value(parsed, Keys.Step),
        Steps = steps,
        RandomStart = true,
        Bn = BnMode.Eval,
    };

    private string Threat(ParseResult parsed) => $"{Value(parsed, Keys.Norm).ToString().ToLowerInvariant()} eps {Format.Pixels(Value(parsed, Keys.Eps))}";

    private T Value<T>(ParseResult parsed, Leaf<T> key)
    {
        string? text = parsed.GetValue(_keys[key]);
        return key.Parse(new Entry(key.Path, text ?? key.Default, IsList: false, text is null ? "default" : _keys[key].Name));
    }

    private static void WriteJson(Stream stream, LoadedNetwork loaded, string data, EvaluationResult result)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("checkpoint", loaded.Path);
        json.WriteString("model", loaded.Spec.Name);
        json.WriteString("data", data);
        json.WriteNumber("images", result.Images);
        json.WriteString("threat", result.Threat);
        json.WriteStartObject("accuracy");
        foreach (Score score in result.Scores) json.WriteNumber(score.Title, score.Accuracy);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static Option<string?> Key(string name, string value, Leaf key, params string[] aliases) =>
        new(name, aliases) { Description = $"{key.Doc} ({key.Default})", HelpName = value };
}
