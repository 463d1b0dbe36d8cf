using System.CommandLine;
using Rpat.Trainer.Evaluation;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval corruptions CHECKPOINT --folder DIR</c>: accuracy on CIFAR-C.</summary>
internal static class CorruptionsCommand
{
    /// <summary>The command, to be added to <c>eval</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var weights = new WeightOptions(host);
        var device = new DeviceOption(host);
        var folder = new Option<string>("--folder")
        { Description = "folder of NAME.npy and labels.npy (CIFAR-10-C, CIFAR-100-C)", HelpName = "DIR", Required = true };
        var count = new Option<int>("--n") { Description = "images of each severity, from the first; 0 for all", HelpName = "N" };
        var csv = new Option<string?>("--csv") { Description = "write the grid in RobustBench's form", HelpName = "FILE" };
        var command = new Command("corruptions", "Measure a checkpoint on common corruptions (CIFAR-C).")
            { folder, count, csv, device.Option };
        weights.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(count) < 0) throw new UsageException("--n must not be negative.");
            using var opened = DeviceFactory.Named(device.Trusted(parsed), ConfigKeys.Of(c => c.Device.Precision).Default);
            var (checkpoint, choice) = weights.Read(parsed);
            var network = NetworkFile.Load(opened, checkpoint, choice);
            var cells = Corruptions.Run(network.Net, parsed.GetRequiredValue(folder), parsed.GetValue(count), 128, host.Note);
            if (parsed.GetValue(csv) is { } path) Corruptions.WriteCsv(path, cells, Path.GetFileNameWithoutExtension(network.Path));
            host.Out.WriteLine(FormattableString.Invariant(
                $"accuracy on {Corruptions.Names.Count} corruptions x 5 severities: {Format.Percent(Corruptions.Mean(cells))}"));
            return ExitCode.Done;
        });
        return command;
    }
}
