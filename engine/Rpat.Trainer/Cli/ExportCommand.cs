using System.CommandLine;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat export</c>: writes a checkpoint in another format.</summary>
internal static class ExportCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var weights = new WeightOptions(host);
        var output = new Option<string>("--out", "-o")
        {
            Description =
                "the file to write: .safetensors, .pt or .pth (torch.load with weights_only=True), .npz, or .onnx (eval mode, images in "
                    + "[0,1])",
            HelpName = "FILE",
            Required = true,
        };
        var command = new Command("export",
            "Write a checkpoint as safetensors, PyTorch, NumPy or ONNX file, with a model card beside it.") { output };
        weights.AddTo(command);
        command.SetAction(parsed => Run(host, weights.Read(parsed), parsed.GetRequiredValue(output)));
        return command;
    }

    private static int Run(CommandContext host, (string Path, WeightChoice Choice) weights, string output)
    {
        NetworkWriter.Extension(output);
        using Device device = Device.Cpu();
        LoadedNetwork loaded = NetworkFile.Load(device, weights.Path, weights.Choice, host.NoteFile);
        NetworkWriter.Write(output, loaded.Net, loaded.Spec);
        ModelCard.Write(output, loaded);
        foreach (string line in NetworkWriter.LeftOut(output, loaded.Spec)) host.NoteFile(line);
        host.Out.WriteLine($"{output}: {loaded.Spec.Name}, {loaded.Net.Parameters.Count} parameters; card: {ModelCard.PathOf(output)}");
        return ExitCode.Done;
    }
}
