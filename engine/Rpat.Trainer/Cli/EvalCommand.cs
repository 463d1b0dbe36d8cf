using System.CommandLine;
using Rpat.Trainer.Evaluation;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval</c>: accuracy of a checkpoint, clean and under attack, in a folder that can be resumed and verified.</summary>
internal sealed class EvalCommand
{
    /// <summary>What is said of an evaluation without an attack.</summary>
    public const string NotKept = "note: a clean accuracy alone is not kept: --out DIR keeps it";

    private readonly CommandContext _host;
    private readonly ThreatOptions _threat;
    private readonly Option<string> _attacks = new("--attacks")
    {
        Description =
        "what to measure: clean, pgd20, cw, aa…; see 'rpat attacks'",
        HelpName = "NAME,…",
        DefaultValueFactory = _ => "clean,pgd20"
    };
    private readonly Option<bool> _resume = new("--resume") { Description = "resume an evaluation that was stopped or killed" };
    private readonly Option<bool> _again = AgainOption();
    private readonly Option<string?> _out = new("--out", "-o")
    { Description = "folder of the evaluation; in the run, or among the runs, by default", HelpName = "DIR" };
    private readonly JsonOption _json = new();
    private readonly Option<string?> _logits = OutputFile.Checked(new("--save-logits")
    { Description = "keep the clean logits, float32 [N, classes]", HelpName = "FILE.npy" });
    private readonly Option<string?> _gradients = OutputFile.Checked(new("--save-gradients")
    {
        Description =
        "keep every weight's gradient of the mean cross-entropy of all images, one batch in training mode",
        HelpName = "FILE.npz"
    });
    private readonly Option<string?> _inputGradients = OutputFile.Checked(new("--save-input-gradients")
    {
        Description = "keep the gradient of the summed cross-entropy by each image in [0,1], float32 [N, C, H, W]",
        HelpName = "FILE.npy"
    });
    private readonly Option<string[]> _failUnder = new("--fail-under")
    { Description = "end with exit code 7 when an accuracy is lower, in percent; repeatable", HelpName = "ATTACK=PERCENT" };
    private readonly Option<string?> _leaderboard = OutputFile.Checked(new("--robustbench-json")
    { Description = "write RobustBench's model_info of the 'aa' column", HelpName = "FILE" });

    private EvalCommand(CommandContext host) => (_host, _threat) = (host, new ThreatOptions(host));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host) => new EvalCommand(host).Build();

    /// <summary><c>--again</c>, of the commands that store what they measure.</summary>
    public static Option<bool> AgainOption() => new("--again")
    { Description = "measure again what was measured with the same weights, images and settings" };

    private Command Build()
    {
        var command = new Command("eval", "Measure a checkpoint on held-out images, clean and under attack.")
            { _attacks, _resume, _again, _out,
            _json.Option, _logits, _gradients, _inputGradients, _leaderboard, _failUnder, VerifyCommand.Create(_host),
            UnionCommand.Create(_host), BlackBoxCommand.Create(_host),
            CorruptionsCommand.Create(_host) };
        _threat.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var options = _threat.Read(parsed, _attacks);
        var limits = FailUnder.Parse(parsed.GetValue(_failUnder) ?? [], options.Attacks);
        if (parsed.GetValue(_leaderboard) is not null) Leaderboard.Require(options);
        var subject = Opened(parsed, options);
        if (parsed.GetValue(_leaderboard) is not null) Leaderboard.Require(subject.Network.Net.Classes);
        if (parsed.GetValue(_logits) is { } logits) SaveLogits(logits, parsed, options, subject);
        if (parsed.GetValue(_gradients) is { } gradients) SaveGradients(gradients, parsed, options, subject);
        if (parsed.GetValue(_inputGradients) is { } inputs) SaveInputGradients(inputs, parsed, options, subject);
        string folder = EvalFolder.Choose(options, subject.Count, parsed.GetValue(_out), parsed.GetValue(_resume), _threat.Runs(parsed),
            _host.Note);
        IReadOnlyList<string> earlier = parsed.GetValue(_again) || parsed.GetValue(_out) is not null ? []
            : EvalFolder.Earlier(options.Checkpoint, EvalFolder.NameOf(options, subject.Count), _threat.Runs(parsed));
        using var console = new EvalConsole(_host, folder, parsed.GetValue(_resume), earlier)
        { Keeps = EvalFolder.Keeps(options, parsed.GetValue(_out)) };
        return console.Run(() =>
        {
            var (plan, report) = Evaluate(parsed, options, subject, console);
            console.Done();
            Conclude(parsed, report, subject, plan, console.Folder, options.Checkpoint,
                PublishedCheck.Of(options.Checkpoint, options, report));
            int code = Judge(limits.Missed(report, options.Attacks, [.. options.Radii.Select(r => r.Text)]));
            return report.SelfTest.All(one => one.Passed) ? code : ExitCode.Untrusted;
        });
    }

    // Everything is checked before the folder is made; the network itself is loaded again for each batch size.
    private EvalSubject Opened(ParseResult parsed, EvalOptions options)
    {
        using var device = _threat.Open(parsed);
        return EvalSubject.Open(options, device, _host.Warn);
    }

    private int Judge(IEnumerable<string> missed)
    {
        int code = ExitCode.Done;
        foreach (string sentence in missed)
        {
            _host.Error.WriteLine($"rpat: {sentence}");
            code = ExitCode.LimitMissed;
        }

        return code;
    }

    // Direct sums round less than Winograd's transforms, and saved logits are compared.
    private void SaveLogits(string path, ParseResult parsed, EvalOptions options, EvalSubject subject) =>
        options.Batch.Run(_host.Warn, batch =>
    {
        using var device = _threat.Open(parsed, ConvolutionAlgorithm.Direct);
        subject.On(device, options).SaveLogits(path, batch);
        return path;
    });

    private void SaveGradients(string path, ParseResult parsed, EvalOptions options, EvalSubject subject)
    {
        using var device = _threat.Open(parsed, ConvolutionAlgorithm.Direct);
        GradientFile.Write(path, subject.On(device, options).Network.Net, subject.Images, subject.Labels);
    }

    private void SaveInputGradients(string path, ParseResult parsed, EvalOptions options, EvalSubject subject) =>
        options.Batch.Run(_host.Warn, batch =>
    {
        using var device = _threat.Open(parsed, ConvolutionAlgorithm.Direct);
        GradientFile.WriteInputs(path, subject.On(device, options).Network.Net, subject.Images, subject.Labels, batch);
        return path;
    });

    // Closing the device frees all its memory for smaller batches; lines that are already in the ledger are not computed again.
    private (EvaluationPlan Plan, EvaluationReport Report) Evaluate(ParseResult parsed, EvalOptions options, EvalSubject subject,
        EvalConsole console) => options.Batch.Run(_host.Warn, batch =>
    {
        using var device = _threat.Open(parsed);
        var plan = subject.Plan(options, batch);
        return (plan, console.Evaluate(subject.On(device, options).Network.Net, plan, subject.Images, subject.Labels));
    });

    private void Conclude(ParseResult parsed, EvaluationReport report, EvalSubject subject, EvaluationPlan plan, string folder,
        string checkpoint, PublishedCheck? published)
    {
        var manifest = Verification.ManifestOf(folder);
        string digest = Verification.DigestOf(folder);
        _json.Give(parsed, _host, () => EvalTable.Json(report, manifest,
            plan.Suites.Count > 0 || parsed.GetValue(_out) is not null ? folder : null, digest, published), () =>
        {
            EvalTable.Write(report, manifest, _host);
            foreach (string line in published?.Lines() ?? []) _host.Tell(line, 4);
            if (plan.Suites.Count > 0) _host.Out.WriteLine($"folder: {RunFinder.Shown(folder)}\ndigest: {digest}");
            else if (parsed.GetValue(_out) is null) _host.Note(NotKept);
            if (RunFinder.RunOf(checkpoint) is { } run) _host.Note($"try next: {NextStep.Of(run, RunFinder.Shown(run))}");
        });
        if (parsed.GetValue(_leaderboard) is not { } leaderboard) return;
        AtomicFile.WriteText(leaderboard, Leaderboard.InfoOf(report, plan, subject).ToJson());
    }
}
