using System.CommandLine;
using Rpat.Trainer.Evaluation;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat attack</c>: makes adversarial images and saves them.</summary>
internal sealed class AttackCommand
{
    private readonly CommandContext _host;
    private readonly ThreatOptions _threat;
    private readonly Option<string> _attack = new("--attack")
    { Description = "one attack; see 'rpat attacks'", HelpName = "NAME", Required = true };
    private readonly Option<string> _out = new("--out", "-o")
    { Description = "a file for images, labels, who was attacked and who was fooled", HelpName = "FILE.npz", Required = true };
    private readonly JsonOption _json = new();
    private readonly Option<int?> _goal = new("--target")
    { Description = "class that every image of another class is to get; any wrong one by default", HelpName = "CLASS" };

    private AttackCommand(CommandContext host) => (_host, _threat) = (host, new ThreatOptions(host));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var attack = new AttackCommand(host);
        var command = new Command("attack", "Make adversarial images of a checkpoint and keep them.")
            { attack._attack, attack._out, attack._goal, attack._json.Option };
        attack._threat.AddTo(command);
        command.SetAction(attack.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var options = _threat.Read(parsed, _attack);
        if (options.Attacks.Count == 0)
            throw new UsageException("--attack is clean, which changes no image: name an attack, such as pgd20.");
        if (options.Attacks.Count != 1 || options.Radii.Count != 1)
            throw new UsageException("'rpat attack' takes one --attack and one --eps; 'rpat eval' takes several.");
        string file = OutputFile.Of(parsed.GetRequiredValue(_out), $"{options.Attacks[0]}.npz");
        bool isNamed = file.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) || (File.Exists(file) && !RegularFile.Exists(file));
        if (!isNamed) file += ".npz"; // as NumPy does
        AtomicFile.RequirePlace(file);
        var subject = Opened(parsed, options);
        int? goal = Goal(parsed.GetValue(_goal), subject);
        var (suite, made) = options.Batch.Run(_host.Warn, batch =>
        {
            using var device = _threat.Open(parsed);
            return Perturb(options, subject.On(device, options), goal, batch);
        });
        if (made.Infeasible > 0)
            _host.Warn(FormattableString.Invariant(
                $"warning: {made.Infeasible} results lay outside ball or box and are not counted: a mistake of the attack."));
        Write(file, subject, made);
        _json.Give(
            parsed, _host,
            () => new
            {
                attack = suite.Label,
                norm = options.Norm.Name,
                eps = options.Radii[0].Text,
                images = subject.Count,
                target = goal,
                attacked = made.Attacked.Sum(),
                fooled = made.Fooled.Sum(),
                file,
            },
            () => _host.Out.WriteLine(
                $"{AttackTitle.Of(suite.Label)} {options.Norm.Name} eps {options.Radii[0].Text}: {Finding(made, goal)}\nfile: {file}"));
        return ExitCode.Done;
    }

    private static string Finding(Made made, int? goal) => goal is null
        ? $"{made.Fooled.Sum()} of {made.Fooled.Length} images have the wrong class"
        : $"{made.Fooled.Sum()} of {made.Attacked.Sum()} images got class {goal}; {made.Fooled.Length - made.Attacked.Sum()} of "
            + $"{made.Fooled.Length} were left, being of it or taken for it";

    private EvalSubject Opened(ParseResult parsed, EvalOptions options)
    {
        using var device = _threat.Open(parsed);
        return EvalSubject.Open(options, device, _host.Warn);
    }

    private static (AttackSuite Suite, Made Made) Perturb(EvalOptions options, EvalSubject subject, int? goal, int batch)
    {
        var suite = subject.Plan(options, batch).Suites[0];
        using var runner = new AttackRunner(subject.Network.Net, new() { Batch = batch, Seed = options.Seed });
        return (suite, Perturb(suite, runner, subject, goal, options.First));
    }

    private static int? Goal(int? goal, EvalSubject subject)
    {
        int classes = subject.Network.Net.Classes;
        return goal < 0 || goal >= classes ? throw new UsageException($"--target is {goal} where 0 to {classes - 1} are classes.") : goal;
    }

    /// <summary>
    /// Runs each attack on the images that the earlier ones have left. Without a target, an image that is already misclassified counts as
    /// fooled; with one, only an image that the attack has moved to the target.
    /// </summary>
    private static Made Perturb(AttackSuite suite, AttackRunner runner, EvalSubject subject, int? goal, int first)
    {
        int size = runner.ImageShape.SampleCount;
        var made = new Made([.. subject.Images], new long[subject.Count], new long[subject.Count]);
        foreach (var attack in suite.Attacks)
        {
            int[] left = [.. Enumerable.Range(0, subject.Count).Where(i => made.Fooled[i] == 0)];
            var outcomes = runner.Perturb(
                attack, [.. left.SelectMany(i => subject.Images.AsSpan(i * size, size).ToArray())],
                [.. left.Select(i => subject.Labels[i])],
                [.. left.Select(i => (long)first + i)], goal is { } g ? [.. left.Select(_ => g)] : null);
            foreach (var o in outcomes)
            {
                int i = (int)(o.Index - first);
                if (o.IsInfeasible) made.Infeasible++;
                (made.Attacked[i], made.Fooled[i]) = (o.WasCorrect ? 1 : 0, o.Fooled || (goal is null && !o.WasCorrect) ? 1 : 0);
                if (o.Fooled || suite.Attacks.Count == 1) o.Image.CopyTo(made.Images, i * size);
            }
        }
        return made;
    }

    /// <summary>The outcome for each image.</summary>
    /// <param name="Images">The images <c>[N, C, H, W]</c>; clean where all of several attacks failed.</param>
    /// <param name="Attacked">1 where the image was attacked.</param>
    /// <param name="Fooled">1 where the network predicts the class that the attack wants.</param>
    private sealed record Made(float[] Images, long[] Attacked, long[] Fooled)
    {
        /// <summary>Results that were outside ball or box and are not counted.</summary>
        public int Infeasible { get; set; }
    }

    private static void Write(string path, EvalSubject subject, Made made)
    {
        var s = subject.Network.Net.InputShape;
        Npz.Write(path,
        [
            NamedArray.FromFloats("images", made.Images, subject.Count, s.C, s.H, s.W),
            NamedArray.FromInt64("labels", [.. subject.Labels.Select(y => (long)y)], subject.Count),
            NamedArray.FromInt64("attacked", made.Attacked, subject.Count),
            NamedArray.FromInt64("fooled", made.Fooled, subject.Count),
        ]);
    }
}
