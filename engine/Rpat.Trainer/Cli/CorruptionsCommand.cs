using System.CommandLine;
using Rpat.Trainer.Evaluation;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval corruptions CHECKPOINT --corruptions DIR</c>: accuracy on CIFAR-C.</summary>
internal sealed class CorruptionsCommand
{
    private readonly CommandContext _host;
    private readonly WeightOptions _weights;
    private readonly DeviceOption _device;
    private readonly Option<string> _folder = Named(new Option<string>("--corruptions", "--folder") { Required = true });
    private readonly Option<string?> _only = OnlyOption();
    private readonly Option<int> _count = new("--n") { Description = "images of each severity, from the first; 0 for all", HelpName = "N" };
    private readonly Option<int> _batch = new("--batch-size", "-b")
    { Description = "images at a time", HelpName = "N", DefaultValueFactory = _ => 128 };
    private readonly ThreadsOption _threads = new();
    private readonly Option<bool> _resume = new("--resume") { Description = "resume an evaluation that was stopped or killed" };
    private readonly Option<bool> _again = EvalCommand.AgainOption();
    private readonly Option<string?> _out = new("--out", "-o")
    { Description = "folder of the evaluation; in the run, or among the runs, by default", HelpName = "DIR" };
    private readonly Option<string?> _csv =
        OutputFile.Checked(new("--csv") { Description = "write the grid in RobustBench's form", HelpName = "FILE" });
    private readonly JsonOption _json = new();

    private CorruptionsCommand(CommandContext host) =>
        (_host, _weights, _device) = (host, new WeightOptions(host), new DeviceOption(host));

    /// <summary>The command, to be added to <c>eval</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var of = new CorruptionsCommand(host);
        var command = new Command("corruptions", "Measure a checkpoint on common corruptions (CIFAR-C).")
        {
            of._folder, of._only, of._count, of._batch, of._threads.Option, of._device.Option, of._resume, of._again, of._out, of._csv,
            of._json.Option,
        };
        of._weights.AddTo(command);
        command.SetAction(of.Run);
        return command;
    }

    /// <summary>An option that names the folder of corrupted images.</summary>
    public static T Named<T>(T option) where T : Option
    {
        (option.Description, option.HelpName) = ("the folder of NAME.npy and labels.npy (CIFAR-10-C, CIFAR-100-C)", "DIR");
        return option;
    }

    /// <summary>The option that chooses some of them.</summary>
    public static Option<string?> OnlyOption() => new("--only")
    { Description = "some corruptions only, such as fog,snow; all fifteen by default", HelpName = "NAME,…" };

    /// <summary>The result for programs.</summary>
    public static object Json(CorruptionReport report, string folder)
    {
        var manifest = Verification.ManifestOf(folder);
        return new
        {
            checkpoint = manifest.Model,
            model_sha256 = manifest.ModelHash,
            data = manifest.Data,
            data_sha256 = manifest.DataHash,
            folder,
            images = report.Images,
            accuracy = report.Mean,
            corruptions = report.Rows().Select(row => new { row.Name, severities = row.Shares.SkipLast(1), mean = row.Shares[^1] }),
        };
    }

    /// <summary>The result for people.</summary>
    public static void Write(CorruptionReport report, string folder, CommandContext host)
    {
        new TextTable(["corruption", .. Enumerable.Range(1, Corruptions.Severities).Select(s => $"{s}"), "mean"],
            [.. report.Rows().Select(row => (string[])[row.Name, .. row.Shares.Select(Format.Percent)])], RightFrom: 1).Show(host);
        host.Tell($"accuracy on {report.Title} each: {Format.Percent(report.Mean)}, in percent");
        host.Out.WriteLine($"folder: {RunFinder.Shown(folder)}");
    }

    private int Run(ParseResult parsed)
    {
        if (parsed.GetValue(_count) < 0) throw new UsageException($"{_count.Name} must not be negative.");
        if (parsed.GetValue(_batch) < 1) throw new UsageException("--batch-size must be at least 1.");
        var (checkpoint, choice) = _weights.Read(parsed);
        using var device = DeviceFactory.Named(_device.Trusted(parsed), ConfigKeys.Of(c => c.Device.Precision).Default,
            _threads.Value(parsed));
        var network = NetworkFile.Load(device, checkpoint, choice, _host.NoteFile);
        var set = Corruptions.Open(parsed.GetRequiredValue(_folder), parsed.GetValue(_only), parsed.GetValue(_count),
            network.Net.InputShape, network.Net.Classes, _host.Warn);
        var plan = CorruptionReport.Manifest(network.Path, EvalSubject.HashOf(network, choice), choice, network.Net.Classes, set)
            with
        { Architecture = network.Spec.Name };
        using var console = Console(_host, checkpoint, set, parsed.GetValue(_out), parsed.GetValue(_resume), parsed.GetValue(_again),
            _weights.Runs(parsed));
        return console.Run(() =>
        {
            var report = console.Measure(network.Net, set, plan, parsed.GetValue(_batch));
            console.Done();
            _json.Give(parsed, _host, () => Json(report, console.Folder), () => Write(report, console.Folder, _host));
            if (parsed.GetValue(_csv) is { } path) report.WriteCsv(path, Path.GetFileNameWithoutExtension(network.Path));
            return ExitCode.Done;
        });
    }

    /// <summary>The console of an evaluation on corruptions.</summary>
    public static EvalConsole Console(CommandContext host, string checkpoint, Corruptions set, string? outFolder, bool resume, bool again,
        string root)
    {
        string name = CorruptionReport.NameOf(set);
        return new EvalConsole(host, EvalFolder.Choose(checkpoint, name, outFolder, resume, root, host.Note), resume,
            again || outFolder is not null ? [] : EvalFolder.Earlier(checkpoint, name, root));
    }
}
