using System.CommandLine;
using Rpat.Trainer.Perception;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat perception</c>: how logits and features of networks change along perturbations, for successes and failures.</summary>
internal sealed class PerceptionCommand
{
    private readonly CommandContext _host;
    private readonly Argument<string[]> _runs = new("RUN")
    { Description = "runs, their folders or weights; NAME=RUN gives one a name in the charts", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _data = new("--data", "--dataset")
    { Description = "data set; that of the first run folder by default", HelpName = "SPEC" };
    private readonly Option<string?> _dataDir;
    private readonly Option<string> _perturbations = new("--perturbations")
    { Description = "noise, and pgdN with N steps", HelpName = "NAME,…", DefaultValueFactory = _ => "noise,pgd10" };
    private readonly Option<string> _norm = new("--norm")
    { Description = "linf, l2 or l1", HelpName = "NAME", DefaultValueFactory = _ => "linf" };
    private readonly Option<string?> _eps = new("--eps")
    { Description = $"largest perturbation; {UsualThreat.Radii} by default", HelpName = "8/255" };
    private readonly Option<bool> _weak = new("--weak")
    { Description = "look at x + (w/8)(x' - x) for w from 0 to 8 instead of at tenths" };
    private readonly Option<int> _count = new("--n") { Description = "held-out images, from the first; 0 for all", HelpName = "N" };
    private readonly Option<long> _seed = new("--seed") { Description = "seed of noise and random starts", HelpName = "N" };
    private readonly WeightOptions _weights;
    private readonly Option<string?> _out = new("--out", "-o")
    { Description = "folder of perception.html and perception.json; in the first run, or among the runs, by default", HelpName = "DIR" };
    private readonly Option<string> _root;
    private readonly DeviceOption _device;
    private readonly JsonOption _json = new();
    private readonly ThreadsOption _threads = new();

    private PerceptionCommand(CommandContext host) =>
        (_host, _weights, _device, _dataDir, _root) =
            (host, new WeightOptions(host), new DeviceOption(host), DataDirOption.Create(host), RunsOption.Create(host));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host) => new PerceptionCommand(host).Build();

    private Command Build()
    {
        var command =
            new Command("perception", "Measure how far logits and features move for successes and failures (the paper's motivation).")
        {
            _runs, _data, _dataDir, _perturbations, _norm, _eps, _weak, _count, _seed, _out, _root, _device.Option, _threads.Option, _json.Option,
        };
        _weights.AddOptionsTo(command);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        string root = parsed.GetRequiredValue(_root);
        var subjects = parsed.GetRequiredValue(_runs).Select(text => Subject(text, root)).ToList();
        foreach (string text in parsed.GetRequiredValue(_runs)) RunsOption.TellDoubt(_host, text[(text.IndexOf('=') + 1)..], root);
        var options = Options(parsed);
        if (parsed.GetValue(_seed) < 0) throw new UsageException($"--seed is {parsed.GetValue(_seed)}: give a number from 0.");
        string folder = parsed.GetValue(_out) ?? UsualFolder(subjects[0].Path, root);
        var images = Images(parsed, subjects[0].Path);
        EvalSubject.RequireRadius(options[0].Perturbation.Norm, options[0].Perturbation.Eps, images);
        using var device = DeviceFactory.Named(_device.Trusted(parsed), ConfigKeys.Of(c => c.Device.Precision).Default,
            _threads.Value(parsed));
        AtomicFile.MakeFolder(folder);
        var networks = subjects.ConvertAll(subject => Load(device, subject.Path, images, _weights.Choice(subject.Path, root, parsed)));
        List<PerceptionRun> runs =
            [.. options.SelectMany(o => subjects.Zip(networks, (subject, network) => Measure(subject.Name, network, o, images)))];
        PerceptionTable.WriteJson(Path.Combine(folder, "perception.json"), runs);
        PerceptionReport.Write(Path.Combine(folder, "perception.html"), runs);
        _json.Give(parsed, _host, () => PerceptionTable.Json(runs), () =>
        {
            PerceptionTable.Write(runs, _host);
            _host.Out.WriteLine($"report: {Path.Combine(folder, "perception.html")}");
        });
        return ExitCode.Done;
    }

    // What is measured of another file of a run, such as an earlier checkpoint, is not the run's.
    private static string UsualFolder(string path, string root)
    {
        string home = RunFinder.HomeOf(path, root), folder = Path.Combine(home, "perception"), file = CheckpointFile.At(path);
        return RunFinder.RunOf(path) is null || CheckpointFile.Of(home) is not { } own || Path.GetFullPath(own) == Path.GetFullPath(file)
            ? folder : Path.Combine(folder, Path.GetFileNameWithoutExtension(file));
    }

    private LoadedNetwork Load(Device device, string path, LabeledImages images, WeightChoice choice)
    {
        var network = NetworkFile.Load(device, path, choice, _host.NoteFile,
            new Shape(1, images.Channels, images.Height, images.Width));
        EvalSubject.RequireFit(network, images);
        return network;
    }

    private PerceptionRun Measure(string name, LoadedNetwork network, PerceptionOptions options, LabeledImages images)
    {
        _host.Note($"{name}: {AttackTitle.Of(options.Name)}");
        using PerceptionMeter meter = new(network.Net, options);
        return new PerceptionRun(name, network.Path, meter.Run(images));
    }

    private LabeledImages Images(ParseResult parsed, string first)
    {
        var set = RunDataSet.Choose(parsed.GetValue(_data), parsed.GetValue(_dataDir), first, parsed.GetRequiredValue(_root));
        var pair = DataSets.Open(set.Name, set.Dir);
        foreach (string note in pair.Notes) _host.Warn($"note: {note}");
        int count = parsed.GetValue(_count);
        if (count < 0) throw new UsageException($"--n is {count}: give a number of images, or 0 for all.");
        foreach (string line in SuspectValues.Above("--n", count, pair.Test.Count, "images", "all of them are measured")) _host.Warn(line);
        return count == 0 ? pair.Test : pair.Test.Take(Math.Min(count, pair.Test.Count));
    }

    private List<PerceptionOptions> Options(ParseResult parsed)
    {
        var norm = CatalogNames.NormOf(parsed.GetRequiredValue(_norm));
        if (EvalOptions.ParseRadii(parsed.GetValue(_eps) ?? UsualThreat.Eps(norm), norm) is not [var radius])
            throw new UsageException("--eps takes one radius here.");
        float eps = (float)radius.Value, step = (float)(UsualThreat.StepShare(norm) * radius.Value);
        foreach (string line in SuspectValues.Eps("--eps", norm, eps)) _host.Warn(line);
        var alphas = parsed.GetValue(_weak) ? PerceptionOptions.Eighths : PerceptionOptions.Tenths;
        string[] names = ConfigValue.Items(parsed.GetRequiredValue(_perturbations));
        if (names.Length == 0) throw new UsageException("--perturbations names nothing: give for instance noise,pgd10.");
        return [.. names.Distinct().Select(n => Option(n, norm, eps, step) with { Alphas = alphas, Seed = (ulong)parsed.GetValue(_seed) })];
    }

    private static PerceptionOptions Option(string typed, Norm norm, float eps, float step)
    {
        string name = CatalogNames.Attacks.Match(typed) ?? typed.ToLowerInvariant();
        if (name == "noise") return PerceptionOptions.Noise(norm, eps);
        int steps = name.StartsWith("pgd", StringComparison.Ordinal) && int.TryParse(name.AsSpan(3), System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture, out int number) ? number : 0;
        return steps > 0 ? PerceptionOptions.Pgd(norm, eps, step, steps)
            : throw new UsageException($"--perturbations has '{typed}': use noise, or pgd10 with any number of steps.");
    }

    // NAME=RUN, where a path may hold '=' itself.
    private static (string Name, string Path) Subject(string text, string root)
    {
        int equals = text.IndexOf('=');
        if (equals > 0 && !Path.Exists(text)) return (text[..equals], RunFinder.Checkpoint(text[(equals + 1)..], root));
        return (Path.GetFileName(Path.TrimEndingDirectorySeparator(text)), RunFinder.Checkpoint(text, root));
    }
}
