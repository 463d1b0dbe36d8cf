namespace Rpat.Trainer.Report;

/// <summary>
/// What a reader must know of an exported network, as Markdown beside it: what it is, how it was trained, what was measured.
/// </summary>
internal static class ModelCard
{
    private static readonly ConfigKey[] _settings =
    [
        ConfigKeys.Of(c => c.Recipe.Name), ConfigKeys.Of(c => c.Method.Name), ConfigKeys.Of(c => c.Data.Name),
        ConfigKeys.Of(c => c.Attack.Norm), ConfigKeys.Of(c => c.Attack.Eps), ConfigKeys.Of(c => c.Attack.Step),
        ConfigKeys.Of(c => c.Attack.Steps), ConfigKeys.Of(c => c.Train.Epochs), ConfigKeys.Of(c => c.Train.Batch),
        ConfigKeys.Of(c => c.Optimizer.Lr), ConfigKeys.Of(c => c.Optimizer.WeightDecay), ConfigKeys.Of(c => c.Train.Seed),
    ];

    /// <summary>The card's file for a model's.</summary>
    public static string PathOf(string model) => model + ".card.md";

    /// <summary>Writes the card of a model that has just been written, as one step.</summary>
    /// <param name="file">The model's file.</param>
    /// <param name="loaded">The network that it holds.</param>
    /// <exception cref="IOException">The card cannot be written.</exception>
    public static void Write(string file, LoadedNetwork loaded)
    {
        var run = RunFinder.RunOf(loaded.Path) is { } folder ? RunData.Load(folder) : null;
        AtomicFile.WriteText(PathOf(file), string.Join("\n", (string[])
        [
            $"# {Printable.Line(Path.GetFileName(file))}\n", Network(file, loaded), .. run is null ? Foreign : [.. OfRun(run)],
            "## Use\n", Use(file, loaded),
        ]));
    }

    private static string[] Foreign =>
        ["It was not read from a run of this program: how it was trained, and what it withstands, is not known here.\n"];

    private static string Network(string file, LoadedNetwork loaded)
    {
        var (spec, input) = (loaded.Spec, loaded.Spec.Input);
        string normalization = spec.Normalization is { } n
            ? FormattableString.Invariant($"the first layer of the network: mean {Numbers(n.Mean)}, deviation {Numbers(n.Std)}")
            : spec.StandardizesImages ? "each image by its own mean and deviation, the first layer of the network"
            : "none: the network takes images in [0, 1] as they are";
        return Table(["", "value"],
        [
            ["network", spec.Name], ["parameters", loaded.Net.Parameters.Count.ToString("#,0", CultureInfo.InvariantCulture)],
            ["classes", $"{spec.Classes}"], ["images", $"{input.C}x{input.H}x{input.W}, RGB or grey, in [0, 1]"],
            ["normalisation", normalization], ["SHA-256", EvalSubject.HashOf(file)], ["exported by", $"rpat {MachineInfo.Here().Version}"],
        ]);
    }

    private static IEnumerable<string> OfRun(RunData run)
    {
        yield return $"## Training\n\nRun `{Printable.Line(run.Name)}`, {run.Status}.\n";
        yield return Table(["setting", "value"],
            [.. _settings.Where(key => run.Setting(key.Path).Length > 0).Select(key => (string[])[key.Path, run.Setting(key.Path)])]);
        if (run.Record is { } record) yield return $"```bash\n{Printable.Line(ShellWord.Line(record.CommandLine))}\n```\n";
        string[] head = ["attack", "accuracy, %", "95 % interval", "images", "threat", "measured by"];
        if (run.Accuracies.Count > 0) yield return "## Results\n\n" + Table(head,
        [
            .. run.Accuracies.Where(a => a.Depth == 0).Select(a => (string[])[a.Attack, RunReport.Percent(a.Value),
                $"{RunReport.Percent(a.Interval.Low)} to {RunReport.Percent(a.Interval.High)}", $"{a.Images}", a.Threat, a.Source]),
        ]);
        yield return "## Limits\n";
        foreach (string warning in run.Warnings) yield return $"- {Printable.Line(warning)}";
        yield return "- A robust accuracy holds for perturbations of the norm and size beside it, and for images like those of the data "
            + "set. It "
            + "is what the attack found: another attack may find more.\n";
    }

    private static string Use(string file, LoadedNetwork loaded)
    {
        string name = Path.GetFileName(file);
        var declares = loaded.Net.GetType().Assembly;
        string[] plugin = Catalog.Registered.Contains(declares) ? [RunPlugins.Option, $"{declares.GetName().Name}.dll"] : [];
        string[] eval = ["eval", name, "--model", loaded.Spec.Name, "--data", "DATA", "--attacks", "clean,aa",
            .. NetworkWriter.Options(file, loaded.Spec), .. plugin];
        string command = $"rpat {ShellWord.Line(eval)}";
        string? python = Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".safetensors" => $"from safetensors.torch import load_file\nmodel.load_state_dict(load_file({Quoted(name)}))",
            ".pt" or ".pth" => $"import torch\nmodel.load_state_dict(torch.load({Quoted(name)}, weights_only=True))",
            ".npz" => $"import numpy, torch\nstate = {{k: torch.from_numpy(v) for k, v in numpy.load({Quoted(name)}).items()}}\n"
                + "model.load_state_dict(state)",
            ".onnx" => $"import onnxruntime\nlogits = onnxruntime.InferenceSession({Quoted(name)}).run(None, {{'images': images}})[0]",
            _ => null,
        };
        string lacks = string.Concat(NetworkWriter.LeftOut(file, loaded.Spec).Select(line => $"\n{line}.\n"));
        bool isRead = !file.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);
        return $"```python\n{python}\n```\n{lacks}{(isRead ? $"\n```bash\n{command}\n```\n" : "")}";
    }

    private static string Table(string[] head, IReadOnlyList<string[]> rows) => new TextTable(head, rows).Write("md");

    private static string Quoted(string name) => JsonSerializer.Serialize(name);

    private static string Numbers(IReadOnlyList<float> values) =>
        string.Join(", ", values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
}
