using System.CommandLine;
using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Evaluation;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat attack</c>: makes adversarial images and keeps them.</summary>
internal sealed class AttackCommand
{
    private readonly Host _host;
    private readonly ThreatOptions _threat;
    private readonly Option<string> _attack = new("--attack") { Description = "one attack; see 'rpat attacks'", HelpName = "NAME", Required = true };
    private readonly Option<string> _out = new("--out", "-o") { Description = "images, labels, predictions and who was fooled", HelpName = "FILE.npz", Required = true };
    private readonly JsonOption _json = new();
    private readonly Option<int?> _goal = new("--target") { Description = "class that every image is to get; any wrong one by default", HelpName = "CLASS" };

    private AttackCommand(Host host) => (_host, _threat) = (host, new ThreatOptions(host));

    /// <summary>The command, for the root to hold.</summary>
    public static Command Create(Host host)
    {
        var attack = new AttackCommand(host);
        var command = new Command("attack", "Make adversarial images of a checkpoint and keep them.") { attack._attack, attack._out, attack._goal, attack._json.Option };
        attack._threat.AddTo(command);
        command.SetAction(attack.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var options = _threat.Read(parsed, EvalOptions.ParseAttacks(parsed.GetRequiredValue(_attack)));
        if (options.Attacks.Count != 1 || options.Radii.Count != 1) throw new UsageException("'rpat attack' takes one --attack and one --eps; 'rpat eval' takes several.");
        var subject = Opened(parsed, options);
        int[]? goals = Goals(parsed.GetValue(_goal), subject);
        var (suite, images, fooled) = options.Batch.Run(_host.Warn, batch =>
        {
            using var device = _threat.Open(parsed);
            return Perturb(options, subject.On(device, options), goals, batch);
        });
        Write(parsed.GetRequiredValue(_out), subject, images, fooled);
        _json.Give(
            parsed, _host,
            () => new { attack = suite.Label, norm = options.Norm.Name, eps = options.Radii[0].Text, images = subject.Count, fooled = fooled.Sum(), file = parsed.GetRequiredValue(_out) },
            () => _host.Out.WriteLine(FormattableString.Invariant($"{suite.Label} {options.Norm.Name} eps {options.Radii[0].Text}: {fooled.Sum()} of {subject.Count} images have the wrong class (or the target's)")));
        return ExitCode.Done;
    }

    private EvalSubject Opened(ParseResult parsed, EvalOptions options)
    {
        using var device = _threat.Open(parsed);
        return EvalSubject.Open(options, device, _host);
    }

    private static (AttackSuite Suite, float[] Images, long[] Fooled) Perturb(EvalOptions options, EvalSubject subject, int[]? goals, int batch)
    {
        var suite = options.Plan(subject.Network.Path, subject.Hash, subject.Network.Net.Classes, batch).Suites[0];
        var runner = new AttackRunner(subject.Network.Net, new() { Batch = batch, Seed = options.Seed });
        var (images, fooled) = Perturb(suite, runner, subject, goals, options.First);
        return (suite, images, fooled);
    }

    private static int[]? Goals(int? goal, EvalSubject subject)
    {
        if (goal is null) return null;
        int classes = subject.Network.Net.Classes;
        if (goal < 0 || goal >= classes) throw new UsageException($"--target is {goal} where 0 to {classes - 1} are classes.");
        return [.. subject.Labels.Select(_ => goal.Value)];
    }

    /// <summary>Each attack on the images that those before it have left.</summary>
    private static (float[] Images, long[] Fooled) Perturb(AttackSuite suite, AttackRunner runner, EvalSubject subject, int[]? goals, int first)
    {
        int size = runner.ImageShape.SampleCount;
        float[] images = [.. subject.Images];
        var fooled = new long[subject.Count];
        foreach (var attack in suite.Attacks)
        {
            int[] left = [.. Enumerable.Range(0, subject.Count).Where(i => fooled[i] == 0)];
            var outcomes = runner.Perturb(
                attack, [.. left.SelectMany(i => subject.Images.AsSpan(i * size, size).ToArray())], [.. left.Select(i => subject.Labels[i])],
                [.. left.Select(i => (long)first + i)], goals is null ? null : [.. left.Select(i => goals[i])]);
            foreach (var o in outcomes.Where(o => o.Fooled || !o.WasCorrect || suite.Attacks.Count == 1))
            {
                int i = (int)(o.Index - first);
                o.Image.CopyTo(images, i * size);
                fooled[i] = o.Fooled || !o.WasCorrect ? 1 : 0;
            }
        }
        return (images, fooled);
    }

    private static void Write(string path, EvalSubject subject, float[] images, long[] fooled)
    {
        var s = subject.Network.Net.InputShape;
        Npz.Write(path,
        [
            NamedArray.FromFloats("images", images, subject.Count, s.C, s.H, s.W),
            NamedArray.FromInt64("labels", [.. subject.Labels.Select(y => (long)y)], subject.Count),
            NamedArray.FromInt64("fooled", fooled, subject.Count),
        ]);
    }
}
