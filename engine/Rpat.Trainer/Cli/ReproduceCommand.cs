using System.CommandLine;
using Rpat.Trainer.Reproduce;
using Rpat.Trainer.Studies;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat reproduce</c>: trains and measures many methods and prints the paper's table.</summary>
internal sealed class ReproduceCommand
{
    private const string ManifestName = "reproduce.json";
    private const int MostBytes = 1 << 20;

    private readonly CommandContext _host;
    private readonly Func<string[], CommandContext, int> _program;
    private readonly Option<string> _scale = new("--scale")
    {
        Description = "quick: a narrow net on Fashion-MNIST, minutes per method on 2 cores; paper: the published settings",
        HelpName = "quick|paper",
        DefaultValueFactory = _ => "quick"
    };
    private readonly Option<string> _methods = new("--methods")
    {
        Description = "which, by comma; NAME as in fashion-NAME-quick at --scale quick",
        HelpName = "all|NAME,…",
        DefaultValueFactory = _ => "all"
    };
    private readonly Option<string> _seeds = new("--seeds")
    {
        Description = "a run of each method for each seed; of several the table shows mean ± deviation",
        HelpName = "1,2,3|1..3",
        DefaultValueFactory = _ => "1"
    };
    private readonly Option<string?> _out = new("--out", "-o")
    { Description = "folder of all runs and of the table; reproduce/SCALE or reproduce/STUDY by default", HelpName = "DIR" };
    private readonly Option<bool> _resume = new("--resume") { Description = "resume in an existing folder: what is finished is kept" };
    private readonly Option<int?> _images = new("--n")
    { Description = "held-out images to attack; 100 at --scale quick, all at --scale paper (0)", HelpName = "N" };
    private readonly Option<string> _attack = new("--attack", "--attacks")
    { Description = "the column beside Clean; anything but aa is no AutoAttack", HelpName = "NAME", DefaultValueFactory = _ => "aa" };
    private readonly Option<string> _data = new("--data", "--dataset")
    { Description = "data set at --scale paper", HelpName = "NAME", DefaultValueFactory = _ => "cifar10" };
    private readonly Option<string> _net = new("--net", "--model")
    { Description = "network at --scale paper", HelpName = "NAME", DefaultValueFactory = _ => "preactresnet18" };
    private readonly Option<string> _norm = new("--norm")
    { Description = "norm at --scale paper", HelpName = "linf|l2", DefaultValueFactory = _ => "linf" };
    private readonly Option<string[]> _sets = new("--set")
    { Description = "a value for every run in addition to its recipe's; repeatable", HelpName = "KEY=VALUE" };
    private readonly StudyOptions _study = new();
    private readonly JsonOption _json = new();
    private readonly Option<string?> _dataDir;
    private readonly DeviceOption _device;
    private readonly ThreadsOption _threads = new();

    private ReproduceCommand(CommandContext host, Func<string[], CommandContext, int> program) =>
        (_host, _program, _device, _dataDir) = (host, program, new DeviceOption(host), DataDirOption.Create(host));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host, Func<string[], CommandContext, int> program) =>
        new ReproduceCommand(host, program).Build();

    private Command Build()
    {
        var command = new Command("reproduce", "Train and measure many methods and print the paper's table: Clean, AA, Mean, NRR.")
        {
            _scale, _methods, _seeds, _out, _resume, _images, _attack, _data, _net, _norm, _sets, _dataDir, _device.Option, _threads.Option,
            _json.Option,
        };
        _study.AddTo(command);
        Option[] others = [_scale, _methods, _seeds, _images, _attack, _data, _net, _norm, _sets, _json.Option];
        command.SetAction(parsed => _study.AreGiven(parsed, others)
            ? _study.Run(parsed, parsed.GetValue(_out), Place(parsed), _host, _program) : Run(parsed));
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var plan = Plan(parsed);
        Claim(plan, parsed.GetValue(_resume));
        var reproduction = new Reproduction(plan, _host, _program);
        int code = reproduction.Run();
        var rows = reproduction.Rows();
        _json.Give(parsed, _host, () => ReproduceTable.Json(rows), () =>
        {
            _host.Out.Write(ReproduceTable.Markdown(rows));
            _host.Out.WriteLine($"folder: {plan.Out}");
        });
        if (ExitCode.IsStop(code)) _host.Error.WriteLine("stopped; resume with the same command and --resume");
        return code;
    }

    private StudyPlace Place(ParseResult parsed) =>
        new("", parsed.GetValue(_dataDir), _device.Name(parsed), _threads.Value(parsed));

    private ReproducePlan Plan(ParseResult parsed)
    {
        string scale = parsed.GetRequiredValue(_scale), methods = parsed.GetRequiredValue(_methods),
            attack = CatalogNames.Attacks.Canonical(parsed.GetRequiredValue(_attack));
        if (scale is not ("quick" or "paper")) throw new UsageException($"--scale is '{scale}': use quick or paper.");
        if (!AttackCatalog.Knows(attack) || attack == "clean")
            throw new UsageException($"--attack is '{attack}': {CatalogNames.Attacks.Hint(attack)}");
        if (scale == "quick")
            parsed.RefuseOptions("is for --scale paper: the quick scale has Fashion-MNIST, a narrow network and Linf", _data, _net, _norm);
        var recipes = scale == "quick"
            ? ReproducePlan.Quick(methods)
            : ReproducePlan.Paper(methods, parsed.GetRequiredValue(_data), parsed.GetRequiredValue(_net), parsed.GetRequiredValue(_norm));
        int images = parsed.GetValue(_images) ?? (scale == "quick" ? 100 : 0);
        if (images < 0) throw new UsageException($"--n is {images}: give a number of images, or 0 for all.");
        string folder = parsed.GetValue(_out) ?? Path.Combine("reproduce", scale);
        return new ReproducePlan(
            scale, recipes, SeedList.Parse(parsed.GetRequiredValue(_seeds)), folder, attack, images, parsed.GetValue(_sets) ?? [],
            parsed.GetValue(_dataDir), _device.Name(parsed), _threads.Value(parsed));
    }

    // Values that change the runs must not change in a folder; methods, seeds and the number of images may grow.
    private static void Claim(ReproducePlan plan, bool resume)
    {
        string path = Path.Combine(plan.Out, ManifestName), now = Manifest(plan);
        try
        {
            if (File.Exists(path))
            {
                if (!resume) throw new UsageException(
                    $"'{plan.Out}' already holds a reproduction: resume it with --resume, or choose another --out.");
                if (RegularFile.ReadText(path, MostBytes) != now) throw new UsageException(
                    $"'{plan.Out}' holds a reproduction of another scale or with other --set values: choose another --out.");
                return;
            }
            AtomicFile.MakeFolder(plan.Out);
            AtomicFile.WriteText(path, now);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"nothing can be written to '{plan.Out}' ({error.Message.TrimEnd('.')}): choose another --out.",
                error);
        }
    }

    private static string Manifest(ReproducePlan plan) => JsonSerializer.Serialize(new { scale = plan.Scale, sets = plan.Sets }) + "\n";
}
