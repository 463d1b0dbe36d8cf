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
    private readonly Option<string> _data = new("--data", "--dataset")
    { Description = "data set, or npz:FILE; see 'rpat data'", HelpName = "SPEC", Required = true };
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
    private readonly Option<string?> _folder = new("--corruptions")
    { Description = "folder of NAME.npy and labels.npy (CIFAR-10-C, CIFAR-100-C)", HelpName = "DIR" };
    private readonly Option<int> _batch = new("--batch-size", "-b")
    { Description = "images at a time", HelpName = "N", DefaultValueFactory = _ => 128 };
    private readonly Option<int> _threads = new("--threads", "-j") { Description = ConfigKeys.Of(c => c.Run.Threads).Doc, HelpName = "N" };
    private readonly Option<long> _seed = new("--seed") { Description = ConfigKeys.Of(c => c.Train.Seed).Doc, HelpName = "N" };
    private readonly JsonOption _json = new();

    private BlackBoxCommand(CommandContext host) => (_host, _dataDir) = (host, DataDirOption.Create(host));

    /// <summary>The command, to be added to <c>eval</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var box = new BlackBoxCommand(host);
        var command = new Command("blackbox", "Measure a network of another program by its answers alone: an .onnx file.") { box._file };
        foreach (Option option in new Option[] { box._data, box._dataDir, box._norm, box._eps, box._count, box._queries, box._surrogate,
            box._transfer, box._folder, box._batch, box._threads, box._seed, box._json.Option }) command.Add(option);
        command.SetAction(box.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        foreach (var option in new[] { _count, _queries, _threads })
            if (parsed.GetValue(option) < 0) throw new UsageException($"{option.Name} must not be negative.");
        if (parsed.GetValue(_batch) < 1) throw new UsageException("--batch-size must be at least 1.");
        var norm = CatalogNames.NormOf(parsed.GetRequiredValue(_norm));
        if (EvalOptions.ParseRadii(parsed.GetValue(_eps) ?? UsualThreat.Eps(norm), norm) is not [var radius])
            throw new UsageException("--eps takes one radius here.");
        foreach (string line in SuspectValues.Eps("--eps", norm, radius.Value)) _host.Warn(line);
        var data = DataSets.Open(DataSets.Names.Canonical(parsed.GetRequiredValue(_data)), parsed.GetValue(_dataDir));
        foreach (string note in data.Notes) _host.Warn($"note: {note}");
        var images = data.Test;
        if (parsed.GetValue(_count) is > 0 and var count) images = images.Take(count);
        using var device = Device.Cpu(parsed.GetValue(_threads));
        var image = new Shape(1, images.Channels, images.Height, images.Width);
        using var model = OnnxModel.Open(parsed.GetRequiredValue(_file), parsed.GetValue(_threads), image);
        if (images.Labels.Any(label => label >= model.Classes))
            throw new UsageException($"'{images.Name}' has labels above the {model.Classes} classes of the file: choose other --data.");
        var box = new BlackBox(device, image, model.Classes, model.Ask);
        List<Row> rows = [.. Measure(parsed, box, device, images, norm, radius)];
        _json.Give(parsed, _host, () => Json(parsed, rows, norm, radius), () => Write(rows, norm, radius));
        return ExitCode.Done;
    }

    private IEnumerable<Row> Measure(ParseResult parsed, BlackBox box, Device device, LabeledImages set, Norm norm, Radius radius)
    {
        var pixels = new float[set.Count * set.ImageSize];
        set.CopyFloats([.. Enumerable.Range(0, set.Count)], pixels);
        var options = new AttackRunnerOptions { Batch = parsed.GetValue(_batch), Seed = (ulong)parsed.GetValue(_seed) };
        using var predictor = new Predictor(box, options.Batch);
        int Right(float[] images) => predictor.Classes(images).Zip(set.Labels).Count(pair => pair.First == pair.Second);
        yield return new("clean", Right(pixels), set.Count, "accuracy");
        if (parsed.GetValue(_queries) is > 0 and var queries)
        {
            _host.Note($"square: {set.Count} images, {queries} queries of each at most");
            var square = new Square { Norm = norm, Eps = radius.Value, Steps = queries };
            int left = new AttackRunner(box, options).Perturb(square, pixels, set.Labels).Count(o => o.WasCorrect && !o.Fooled);
            yield return new($"square, {queries} queries", left, set.Count, "upper bound of robust accuracy, by queries of logits");
        }
        if (parsed.GetValue(_surrogate) is { } surrogate)
        {
            string name = parsed.GetRequiredValue(_transfer);
            _host.Note($"{name} on '{surrogate}'");
            var adversarial = Transferred(surrogate, name, device, set, pixels, norm, radius, options);
            var (at, now) = (predictor.Classes(pixels), predictor.Classes(adversarial));
            int left = Enumerable.Range(0, set.Count).Count(i => at[i] == set.Labels[i] && now[i] == set.Labels[i]);
            yield return new($"{name} from surrogate", left, set.Count, $"upper bound of robust accuracy, by transfer from '{surrogate}'");
        }
        if (parsed.GetValue(_folder) is not { } folder) yield break;
        var cells = Corruptions.Run(box, folder, parsed.GetValue(_count), options.Batch, _host.Note);
        yield return new("corruptions", cells.Sum(cell => cell.Accuracy.Correct), cells.Sum(cell => cell.Accuracy.Count),
            "mean accuracy of 15 corruptions in 5 severities");
    }

    /// <summary>The surrogate's adversarial images; where it is wrong without attack, the clean ones.</summary>
    private float[] Transferred(string surrogate, string name, Device device, LabeledImages set, float[] pixels, Norm norm, Radius radius,
        AttackRunnerOptions options)
    {
        var network = NetworkFile.Load(device, surrogate, new WeightChoice(null, null, [], [], Strict: true),
            new Shape(1, set.Channels, set.Height, set.Width));
        string attackName = EvalOptions.ParseAttacks(name) is [var one] ? one : throw new UsageException("--transfer takes one attack.");
        var suite = AttackCatalog.Find(attackName, norm, radius.Value, network.Net.Classes)!;
        var (images, left) = ((float[])pixels.Clone(), Enumerable.Range(0, set.Count).ToArray());
        foreach (var attack in suite.Attacks)
        {
            var outcomes = new AttackRunner(network.Net, options).Perturb(attack,
                [.. left.SelectMany(i => pixels.AsSpan(i * set.ImageSize, set.ImageSize).ToArray())],
                [.. left.Select(i => set.Labels[i])], [.. left.Select(i => (long)i)]);
            foreach (var o in outcomes) o.Image.CopyTo(images, (int)o.Index * set.ImageSize);
            left = [.. outcomes.Where(o => o.WasCorrect && !o.Fooled).Select(o => (int)o.Index)];
        }
        return images;
    }

    private void Write(List<Row> rows, Norm norm, Radius radius)
    {
        foreach (var row in rows)
        {
            var interval = WilsonInterval.Of(row.Right, row.Images);
            _host.Out.WriteLine($"{row.Name,-28}{Format.Percent(row.Share),8}   {Format.Percent(interval.Low)} to "
                + $"{Format.Percent(interval.High)}   {row.What}");
        }
        _host.Out.WriteLine(FormattableString.Invariant(
            $"  on {rows[0].Images} images, {norm.Name} eps {radius.Text}, in percent; Wilson intervals. None is a robust accuracy."));
    }

    private object Json(ParseResult parsed, List<Row> rows, Norm norm, Radius radius) => new
    {
        file = parsed.GetRequiredValue(_file),
        sha256 = EvalSubject.HashOf(parsed.GetRequiredValue(_file)),
        norm = norm.Name,
        eps = radius.Text,
        rows = rows.Select(row => new { row.Name, row.Right, row.Images, accuracy = row.Share, row.What }),
    };

    /// <summary>One line of the result.</summary>
    /// <param name="What">What the number is.</param>
    private sealed record Row(string Name, int Right, int Images, string What)
    {
        public double Share => (double)Right / Images;
    }
}
