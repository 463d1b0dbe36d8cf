using System.CommandLine;
using Rpat.Trainer.Evaluation;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>rpat eval blackbox FILE.onnx</c>: what can be said about a network without its gradients. No row is a robust accuracy: each is an
/// upper bound of it, by an attack that sees less than an attacker with the network would.
/// </summary>
internal sealed class BlackBoxCommand
{
    private readonly CommandContext _host;
    private readonly Argument<string> _file = new("FILE.onnx")
    { Description = "a network of another program: images [N, C, H, W] in [0,1] to logits" };
    private readonly Option<string?> _data = new("--data", "--dataset")
    { Description = "data set, or npz:FILE; see 'rpat data'; that of the file's last evaluation by default", HelpName = "SPEC" };
    private readonly Option<string?> _dataDir;
    private readonly Option<string> _norm = new("--norm")
    { Description = "linf, l2 or l1", HelpName = "NAME", DefaultValueFactory = _ => "linf" };
    private readonly Option<string?> _eps = new("--eps")
    { Description = $"largest perturbation of images in [0,1]; {UsualThreat.Radii} by default", HelpName = "8/255" };
    private readonly Option<int> _count = new("--n") { Description = "images, from the first; 0 for all", HelpName = "N" };
    private readonly Option<int> _queries = new("--queries")
    { Description = "queries of Square per image; 0 to leave it out", HelpName = "N", DefaultValueFactory = _ => 5000 };
    private readonly Option<string?> _surrogate = new("--surrogate")
    { Description = "a network of one's own whose adversarial images are tried on the file", HelpName = "CHECKPOINT" };
    private readonly Option<string> _transfer = new("--transfer")
    { Description = "the attack on the surrogate; see 'rpat attacks'", HelpName = "NAME", DefaultValueFactory = _ => "apgd-dlr" };
    private readonly Option<string?> _folder = CorruptionsCommand.Named(new Option<string?>("--corruptions", "--folder"));
    private readonly Option<string?> _only = CorruptionsCommand.OnlyOption();
    private readonly Option<int> _batch = new("--batch-size", "-b")
    { Description = "images at a time", HelpName = "N", DefaultValueFactory = _ => 128 };
    private readonly ThreadsOption _threads = new();
    private readonly Option<long> _seed = new("--seed") { Description = ConfigKeys.Of(c => c.Train.Seed).Doc, HelpName = "N" };
    private readonly Option<bool> _resume = new("--resume") { Description = "resume an evaluation that was stopped or killed" };
    private readonly Option<bool> _again = EvalCommand.AgainOption();
    private readonly Option<string?> _out = new("--out", "-o")
    { Description = "folder of the evaluation; among the runs by default", HelpName = "DIR" };
    private readonly Option<string> _runs;
    private readonly JsonOption _json = new();

    private BlackBoxCommand(CommandContext host) =>
        (_host, _dataDir, _runs) = (host, DataDirOption.Create(host), RunsOption.Create(host));

    /// <summary>The command, to be added to <c>eval</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var box = new BlackBoxCommand(host);
        var command = new Command("blackbox", "Measure a network of another program by its answers alone: an .onnx file.") { box._file };
        foreach (Option option in new Option[] { box._data, box._dataDir, box._norm, box._eps, box._count, box._queries, box._surrogate,
            box._transfer, box._folder, box._only, box._resume, box._again, box._out, box._runs, box._batch, box._threads.Option, box._seed,
            box._json.Option })
            command.Add(option);
        command.SetAction(box.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        foreach (var option in new[] { _count, _queries })
            if (parsed.GetValue(option) < 0) throw new UsageException($"{option.Name} must not be negative.");
        if (parsed.GetValue(_seed) < 0) throw new UsageException($"--seed is {parsed.GetValue(_seed)}: give a number from 0.");
        if (parsed.GetValue(_surrogate) is null) parsed.RefuseOptions("is for the --surrogate: give its RUN", _transfer);
        if (parsed.GetValue(_batch) < 1) throw new UsageException("--batch-size must be at least 1.");
        var norm = CatalogNames.NormOf(parsed.GetRequiredValue(_norm));
        if (EvalOptions.ParseRadii(parsed.GetValue(_eps) ?? UsualThreat.Eps(norm), norm) is not [var radius])
            throw new UsageException("--eps takes one radius here.");
        foreach (string line in SuspectValues.Eps("--eps", norm, radius.Value)) _host.Warn(line);
        string file = parsed.GetRequiredValue(_file), root = parsed.GetRequiredValue(_runs);
        var images = Images(parsed, file, root, out string set);
        EvalSubject.RequireRadius(norm, radius.Value, images);
        using var device = Device.Cpu(_threads.Value(parsed));
        var image = new Shape(1, images.Channels, images.Height, images.Width);
        using var model = OnnxModel.Open(file, _threads.Value(parsed), image);
        if (images.Labels.Any(label => label >= model.Classes))
            throw new UsageException($"'{images.Name}' has labels above the {model.Classes} classes of the file: choose other --data.");
        var corruptions = parsed.GetValue(_folder) is { } cells ? Corruptions.Open(cells, parsed.GetValue(_only), parsed.GetValue(_count),
            image, model.Classes, _host.Warn) : null;
        if (corruptions is null && parsed.GetValue(_only) is not null)
            throw new UsageException("--only is for --corruptions: give its DIR.");
        var pixels = new float[images.Count * images.ImageSize];
        images.CopyFloats([.. Enumerable.Range(0, images.Count)], pixels);
        AttackSuite[] suites = [.. Suites(parsed, device, images, pixels, norm, radius)];
        var options = new EvalOptions(file, WeightChoice.Nothing, set, null, [.. suites.Select(suite => suite.Name)], norm, [radius],
            Step: null, First: 0, images.Count, BatchSize.Parse($"{parsed.GetValue(_batch)}"), (ulong)parsed.GetValue(_seed));
        var plan = options.Plan(file, EvalSubject.HashOf(file), model.Classes, parsed.GetValue(_batch)) with { SuitesAt = _ => suites };
        string folder = EvalFolder.Choose(options, images.Count, parsed.GetValue(_out), parsed.GetValue(_resume), root, _host.Note);
        IReadOnlyList<string> earlier = parsed.GetValue(_again) || parsed.GetValue(_out) is not null ? []
            : EvalFolder.Earlier(file, EvalFolder.NameOf(options, images.Count), root);
        using var console = new EvalConsole(_host, folder, parsed.GetValue(_resume), earlier)
        { Keeps = EvalFolder.Keeps(options, parsed.GetValue(_out)) };
        return console.Run(() =>
        {
            var box = model.On(device);
            var report = console.Evaluate(box, plan, pixels, images.Labels);
            console.Done();
            var measured = corruptions is null ? default : Measured(parsed, box, corruptions, plan, root);
            Conclude(parsed, report, console.Folder, measured.Report, measured.Folder);
            return report.SelfTest.All(one => one.Passed) ? ExitCode.Done : ExitCode.Untrusted;
        });
    }

    private (CorruptionReport? Report, string Folder) Measured(ParseResult parsed, Classifier box, Corruptions set, EvaluationPlan plan,
        string root)
    {
        string? place = parsed.GetValue(_out) is { } folder ? Path.Combine(folder, "corruptions") : null;
        using var console = CorruptionsCommand.Console(_host, plan.Model, set, place, parsed.GetValue(_resume), parsed.GetValue(_again),
            root);
        var manifest = CorruptionReport.Manifest(plan.Model, plan.ModelHash, WeightChoice.Nothing, box.Classes, set);
        return (console.Measure(box, set, manifest, parsed.GetValue(_batch)), console.Folder);
    }

    private LabeledImages Images(ParseResult parsed, string file, string root, out string name)
    {
        var set = RunDataSet.Find(parsed.GetValue(_data), parsed.GetValue(_dataDir), file, root)
            ?? throw new UsageException("--data is missing: give the data set that the network is for.");
        name = set.Name;
        var data = DataSets.Open(set.Name, set.Dir);
        foreach (string note in data.Notes) _host.Warn($"note: {note}");
        int count = parsed.GetValue(_count);
        foreach (string line in SuspectValues.Above("--n", count, data.Test.Count, "images", "all of them are measured")) _host.Warn(line);
        return count > 0 ? data.Test.Take(Math.Min(count, data.Test.Count)) : data.Test;
    }

    private IEnumerable<AttackSuite> Suites(ParseResult parsed, Device device, LabeledImages set, float[] pixels, Norm norm, Radius radius)
    {
        if (parsed.GetValue(_queries) is > 0 and var queries)
        {
            var square = new Square { Norm = norm, Eps = radius.Value, Steps = queries };
            yield return queries == new Square().Steps ? AttackSuite.Of(square.Name, square)
                : new AttackSuite(square.Name, $"{square.Name} ({queries} queries)", [square]);
        }
        if (parsed.GetValue(_surrogate) is not { } typed) yield break;
        string surrogate = RunFinder.Checkpoint(typed, parsed.GetRequiredValue(_runs));
        RunsOption.TellDoubt(_host, typed, parsed.GetRequiredValue(_runs));
        string name = EvalOptions.ParseAttacks(parsed.GetRequiredValue(_transfer), surrogate, _transfer.Name) is [var one] ? one
            : throw new UsageException("--transfer takes one attack.");
        _host.Note($"{AttackTitle.Of(name)} on the surrogate '{typed}'");
        var runner = new AttackRunnerOptions { Batch = parsed.GetValue(_batch), Seed = (ulong)parsed.GetValue(_seed) };
        float[] made = Transferred(surrogate, name, device, set, pixels, norm, radius, runner);
        yield return AttackSuite.Of(Transfer.NameOf(name), new Transfer(name, EvalSubject.HashOf(CheckpointFile.At(surrogate)),
            [.. made.Chunk(set.ImageSize)])
        { Norm = norm, Eps = radius.Value });
    }

    /// <summary>The surrogate's adversarial images; where it is wrong without attack, the clean ones.</summary>
    private float[] Transferred(string surrogate, string name, Device device, LabeledImages set, float[] pixels, Norm norm, Radius radius,
        AttackRunnerOptions options)
    {
        var network = NetworkFile.Load(device, surrogate, WeightChoice.Nothing, _host.NoteFile,
            new Shape(1, set.Channels, set.Height, set.Width));
        var suite = AttackCatalog.Find(name, norm, radius.Value, network.Net.Classes)!;
        var (images, left) = ((float[])pixels.Clone(), Enumerable.Range(0, set.Count).ToArray());
        using AttackRunner runner = new(network.Net, options);
        foreach (var attack in suite.Attacks)
        {
            var outcomes = runner.Perturb(attack,
                [.. left.SelectMany(i => pixels.AsSpan(i * set.ImageSize, set.ImageSize).ToArray())],
                [.. left.Select(i => set.Labels[i])], [.. left.Select(i => (long)i)]);
            // An attack that searches the nearest point may end outside the ball.
            foreach (var o in outcomes)
            {
                int at = (int)o.Index * set.ImageSize;
                if (norm.Holds(pixels.AsSpan(at, set.ImageSize), o.Image, radius.Value)) o.Image.CopyTo(images, at);
            }
            left = [.. outcomes.Where(o => o.WasCorrect && !o.Fooled).Select(o => (int)o.Index)];
        }
        return images;
    }

    private void Conclude(ParseResult parsed, EvaluationReport report, string folder, CorruptionReport? corruptions, string corrupted)
    {
        var (manifest, digest) = (Verification.ManifestOf(folder), Verification.DigestOf(folder));
        string? kept = report.Columns.Count > 0 || parsed.GetValue(_out) is not null ? folder : null;
        object? grid = corruptions is null ? null : CorruptionsCommand.Json(corruptions, corrupted);
        _json.Give(parsed, _host, () => EvalTable.Json(report, manifest, kept, digest, corruptions: grid), () =>
        {
            EvalTable.Write(report, manifest, _host);
            if (report.Columns.Count > 0)
                _host.Tell("  by its answers alone: each accuracy under an attack is an upper bound of the robust accuracy", 4);
            if (kept is not null) _host.Out.WriteLine($"folder: {RunFinder.Shown(kept)}\ndigest: {digest}");
            else if (corruptions is null) _host.Note(EvalCommand.NotKept);
            if (corruptions is not null) CorruptionsCommand.Write(corruptions, corrupted, _host);
        });
    }
}
