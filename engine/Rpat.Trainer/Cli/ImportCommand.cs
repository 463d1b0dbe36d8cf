using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat import</c>: shows what a file of weights holds, or converts it to a checkpoint of a known network.</summary>
internal sealed class ImportCommand
{
    private const int NamesWithHints = 100; // comparing names takes time

    private readonly CommandContext _host;
    private readonly WeightOptions _weights;

    private readonly Option<bool> _list = new("--list") { Description = "show what is in the file, and stop" };

    private readonly Option<string?> _output = new("--out", "-o")
    { Description = "file to write: .safetensors, or what rpat export writes", HelpName = "FILE" };

    private readonly Option<string?> _input = new("--input")
    { Description = "size of the images that the network shall see", HelpName = "CxHxW" };

    private ImportCommand(CommandContext host) => (_host, _weights) = (host, new WeightOptions(host));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var import = new ImportCommand(host);
        var command = new Command("import", "Read a file of weights (nothing in it is executed) and write it as a checkpoint.")
        {
            import._list, import._output, import._input,
        };
        import._weights.AddTo(command);
        command.SetAction(import.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var (path, choice) = _weights.Read(parsed);
        if (parsed.GetValue(_list)) return List(path, choice.Key);
        if (parsed.GetValue(_output) is not { } output)
        {
            using var readable = WeightFile.Open(CheckpointFile.At(path), choice.Key);
            throw new UsageException("nothing says what to do: give --list, or --model NAME and -o OUT.safetensors.");
        }
        NetworkWriter.Extension(output);
        return Import(path, choice, parsed.GetValue(_input) is { } size ? ImageSize.Parse("--input", size) : null, output);
    }

    private int List(string path, string? key)
    {
        using WeightFile file = WeightFile.Open(CheckpointFile.At(path), key);
        foreach (WeightEntry entry in file.Tensors)
            _host.Out.WriteLine(
                $"{Printable.Line(entry.TypeName),-5} {$"[{string.Join(", ", entry.Shape)}]",-20} {Printable.Line(entry.Name)}");
        foreach (var (name, value) in file.Values) _host.Out.WriteLine($"{"",-5} {Printable.Line(value),-20} {Printable.Line(name)}");
        _host.Note($"{file.Kind}: {file.Tensors.Count} tensors");
        foreach (string note in file.Notes) _host.NoteFile(note);
        return ExitCode.Done;
    }

    private int Import(string path, WeightChoice choice, Shape? images, string output)
    {
        using Device device = Device.Cpu();
        LoadedNetwork loaded = NetworkFile.Load(device, path, choice with { Strict = false }, _host.NoteFile, images);
        WriteReport(loaded.Report);
        if (choice.Strict && !loaded.Report.Fits)
            throw new CheckpointException(
                $"'{loaded.Path}' does not hold the weights of {loaded.Spec.Name} ({Count(loaded.Report)}): "
                + "choose another --model, or take what fits with --no-strict.");
        NetworkWriter.Write(output, loaded.Net, loaded.Spec);
        foreach (string line in NetworkWriter.LeftOut(output, loaded.Spec)) _host.NoteFile(line);
        var (spec, input) = (loaded.Spec, loaded.Spec.Input);
        _host.Out.WriteLine(
            $"{output}: {spec.Name}, {loaded.Net.Parameters.Count} parameters, {spec.Classes} classes, images "
                + $"{input.C}x{input.H}x{input.W}");
        return ExitCode.Done;
    }

    private void WriteReport(StateReport report)
    {
        bool hints = report.Missing.Count + report.Unexpected.Count <= 2 * NamesWithHints;
        foreach (string name in report.Missing)
            _host.Out.WriteLine(
                $"missing     {name}{(hints && DidYouMean.Find(name, report.Unexpected) is { } near ? $"  (the file has {Printable.Line(near)})" : "")}");
        foreach (string name in report.Unexpected) _host.Out.WriteLine($"unexpected  {Printable.Line(name)}");
        foreach (Reshaped tensor in report.Reshaped) _host.Out.WriteLine($"reshaped    {tensor}");
    }

    private static string Count(StateReport report) =>
        $"{report.Missing.Count} missing, {report.Unexpected.Count} unexpected, {report.Reshaped.Count} reshaped";
}
