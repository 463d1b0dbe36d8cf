using System.CommandLine;
using Rpat.Trainer.Evaluation;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval verify FOLDER</c>: re-checks an evaluation from its files and the network alone.</summary>
internal static class VerifyCommand
{
    private const int MostLines = 20;

    /// <summary>The command, to be added to <c>eval</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var folder = new Argument<string>("FOLDER")
        { Description = "the folder of a finished evaluation, or a run or checkpoint with one" };
        var checkpoint = new Option<string?>("--checkpoint")
        { Description = "the network, where it is not at its old place", HelpName = "FILE" };
        var batch = new Option<int>("--batch-size", "-b")
        { Description = "images at a time", HelpName = "N", DefaultValueFactory = _ => 37 };
        var digest = new Option<string?>("--digest")
        { Description = "the digest that the evaluation was published with", HelpName = "SHA256" };
        var rerun = new Option<int>("--rerun")
        {
            Description =
            "run the attacks of N lines again, drawn at random, those that failed among them",
            HelpName = "N"
        };
        var command = new Command("verify", "Re-check an evaluation from its files: digest, plan, parts, pictures and result.")
            { folder, checkpoint, batch, digest, rerun };
        var weights = new WeightOptions(host);
        var runs = RunsOption.Create(host);
        weights.AddOptionsTo(command);
        command.Add(runs);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(batch) < 1) throw new UsageException("--batch-size must be at least 1.");
            if (parsed.GetValue(rerun) < 0) throw new UsageException("--rerun must not be negative.");
            string root = parsed.GetRequiredValue(runs), place = Evaluation(parsed.GetRequiredValue(folder), root, parsed.GetValue(digest));
            RunsOption.TellDoubt(host, parsed.GetRequiredValue(folder), root);
            string? network = parsed.GetValue(checkpoint) is { } other ? RunFinder.Checkpoint(other, root) : null;
            var result = Verified(place, network, weights.Choice(parsed), parsed.GetValue(batch), parsed.GetValue(rerun), host.NoteFile);
            return Tell(host, place, Against(result, parsed.GetValue(digest)));
        });
        return command;
    }

    // Of several with the published digest one is as good as another.
    private static string Evaluation(string text, string root, string? published)
    {
        if (CorruptionReport.In(text) is not null)
            throw new UsageException($"'{text}' holds accuracies on corruptions, whose images it does not keep: measure them again with "
                + "'rpat eval corruptions … --again'.");
        if (RunFinder.FindMeasured(text, root) is not { } place)
            return RunFinder.Checkpoint(text, root) is var path && File.Exists(path)
                ? throw new UsageException($"'{text}' has no evaluation: make one with 'rpat eval'.") : path;
        string[] found = [.. RunContents.Folders(Path.Combine(place, EvalFolder.Part))
            .Where(folder => CorruptionReport.In(folder) is null)];
        if (found.FirstOrDefault(folder => published is not null && RunContents.Find(folder, "SHA256SUMS") is not null
            && published.Equals(Verification.DigestOf(folder), StringComparison.OrdinalIgnoreCase)) is { } same) return same;
        return found is [var only] ? only : throw new UsageException(found.Length == 0
            ? $"'{place}' has no evaluation: make one with 'rpat eval'."
            : $"'{place}' has {found.Length} evaluations: give one of {string.Join(", ", found)}.");
    }

    // The options that the evaluation got for the network's file are in its manifest; each one given here replaces its own, and together
    // they must lead to the same network.
    private static Verification Verified(string folder, string? checkpoint, WeightChoice given, int batch, int rerun,
        Action<string> note)
    {
        var manifest = Verification.ManifestOf(folder);
        if (checkpoint is null && !Path.Exists(manifest.Model))
            throw new CheckpointException(
                $"the evaluation is of '{manifest.Model}', which is no file here: give the file of that network by --checkpoint.");
        string place = checkpoint ?? manifest.Model;
        using var device = Device.Cpu();
        if (OnnxModel.Is(place))
        {
            using var model = OnnxModel.Open(place, 0, Verification.ImageOf(folder));
            return Verification.Run(folder, model.On(device), EvalSubject.HashOf(place), batch, rerun: rerun);
        }
        var choice = given.Over(WeightChoice.Of(manifest.Network));
        var network = NetworkFile.Load(device, place, choice, note, Verification.ImageOf(folder));
        return Verification.Run(folder, network.Net, EvalSubject.HashOf(network, choice), batch, rerun: rerun);
    }

    private static Verification Against(Verification result, string? published) =>
        published is null || string.Equals(published, result.Digest, StringComparison.OrdinalIgnoreCase) ? result
            : result with
            {
                Problems = [$"the digest is {(result.Digest.Length > 0 ? result.Digest : "missing")}, the published one {published}",
            .. result.Problems]
            };

    private static int Tell(CommandContext host, string folder, Verification result)
    {
        var manifest = Verification.ManifestOf(folder);
        foreach (string problem in result.Problems.Take(MostLines)) host.Out.WriteLine($"problem: {problem}");
        if (result.Problems.Count > MostLines) host.Out.WriteLine($"… and {result.Problems.Count - MostLines} more");
        bool holds = result.Problems.Count == 0;
        foreach (var column in holds ? result.Columns : [])
            host.Out.WriteLine(FormattableString.Invariant(
                $"{AttackTitle.Of(column.Label)} eps {manifest.Eps[column.Eps]}: {100.0 * column.Robust / manifest.Images:F2} % ")
                + FormattableString.Invariant($"({column.Robust} of {manifest.Images})"));
        foreach (string note in holds ? result.Notes : []) host.Out.WriteLine($"note: {note}");
        string lines = holds ? FormattableString.Invariant($"{Verification.LedgerOf(folder).Count} ledger lines and ") : "";
        host.Tell(lines + FormattableString.Invariant($"{result.Examples} adversarial images checked: ")
            + Format.Count(result.Problems.Count, "problem") + (holds ? "" : ", nothing is certified"));
        if (holds) host.Out.WriteLine($"digest: {result.Digest}");
        return holds ? ExitCode.Done : ExitCode.Untrusted;
    }
}
