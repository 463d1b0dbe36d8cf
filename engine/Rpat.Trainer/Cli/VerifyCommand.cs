using System.CommandLine;
using Rpat.Engine;
using Rpat.Robust;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Evaluation;
using Rpat.Trainer.Weights;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval verify FOLDER</c>: re-checks every counted example of an evaluation from its files alone.</summary>
internal static class VerifyCommand
{
    private const int MostLines = 20;

    /// <summary>The command, for <c>eval</c> to hold.</summary>
    public static Command Create(Host host)
    {
        var folder = new Argument<string>("FOLDER") { Description = "folder of a finished evaluation" };
        var checkpoint = new Option<string?>("--checkpoint") { Description = "the network, where it is not at its old place", HelpName = "FILE" };
        var batch = new Option<int>("--batch-size", "-b") { Description = "images at a time", HelpName = "N", DefaultValueFactory = _ => 37 };
        var command = new Command("verify", "Re-check every counted adversarial example of an evaluation from its files.") { folder, checkpoint, batch };
        var weights = new WeightOptions();
        weights.AddOptionsTo(command);
        command.SetAction(parsed => Run(host, parsed.GetRequiredValue(folder), parsed.GetValue(checkpoint), weights.Choice(parsed), Math.Max(1, parsed.GetValue(batch))));
        return command;
    }

    private static int Run(Host host, string folder, string? checkpoint, WeightChoice choice, int batch)
    {
        var manifest = Verification.ManifestOf(folder);
        using var device = Device.Cpu();
        var network = NetworkFile.Load(device, checkpoint ?? manifest.Model, choice, Verification.ImageOf(folder));
        var result = Verification.Run(folder, network.Net, EvalSubject.HashOf(network, choice), batch);
        foreach (string problem in result.Problems.Take(MostLines)) host.Out.WriteLine($"problem: {problem}");
        if (result.Problems.Count > MostLines) host.Out.WriteLine($"… and {result.Problems.Count - MostLines} more");
        foreach (var column in result.Columns)
            host.Out.WriteLine(FormattableString.Invariant($"{column.Label} eps {manifest.Eps[column.Eps]}: {100.0 * column.Robust / manifest.Images:F2} % ({column.Robust} of {manifest.Images})"));
        host.Out.WriteLine(FormattableString.Invariant($"{result.Examples} examples checked, {result.Problems.Count} problems"));
        return result.Problems.Count == 0 ? ExitCode.Done : ExitCode.Untrusted;
    }
}
