using System.CommandLine;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat models</c>, <c>rpat models show NAME</c> and <c>rpat models robustbench</c>.</summary>
internal static class ModelsCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var list = new Command("list", "List the networks.") { json.Option };
        list.SetAction(parsed => List(parsed, json, host));
        var command = new Command("models", "List the networks, or show one layer by layer.")
        { list, Show(host), Published(host), json.Option };
        command.SetAction(parsed => List(parsed, json, host));
        return command;
    }

    private static int List(ParseResult parsed, JsonOption json, CommandContext host)
    {
        int width = ModelCatalog.All.Max(item => item.Name.Length);
        json.Give(parsed, host, () => ModelCatalog.All.Select(family => new { family.Name, family.About }), () =>
        {
            foreach (var item in ModelCatalog.All) host.Tell($"{item.Name.PadRight(width)}  {item.About}", width + 2);
            host.Out.WriteLine();
            WritePublished(host);
        });
        return ExitCode.Done;
    }

    private static Command Published(CommandContext host)
    {
        var json = new JsonOption();
        var command = new Command("robustbench", "List the architectures of RobustBench's leaderboards, and whether they load.")
        { json.Option };
        command.SetAction(parsed =>
        {
            json.Give(parsed, host,
                () => PublishedNets.All.Select(net => new { net.Architecture, net.Entries, Loads = net.Model is not null, net.Model }),
                () => WritePublished(host));
            return ExitCode.Done;
        });
        return command;
    }

    private static void WritePublished(CommandContext host)
    {
        int width = PublishedNets.All.Max(net => net.Architecture.Length);
        host.Tell("RobustBench's architectures (CIFAR-10, CIFAR-100, Linf and L2; ViT of ImageNet; entries), their names here:");
        foreach (PublishedNet net in PublishedNets.All)
            host.Tell($"{net.Entries,3}  {net.Architecture.PadRight(width)}  {net.Model ?? "does not load"}", width + 7);
        int loading = PublishedNets.All.Where(net => net.Model is not null).Sum(net => net.Entries);
        host.Out.WriteLine($"{loading} of {PublishedNets.All.Sum(net => net.Entries)} entries load by their names and shapes alone");
    }

    private static Command Show(CommandContext host)
    {
        var name = new Argument<string>("NAME") { Description = "a network's name" };
        var input = new Option<string>("--input")
        {
            Description = "size of an image",
            HelpName = "CxHxW",
            DefaultValueFactory = _ => "3x32x32"
        };
        var classes = new Option<int>("--classes") { Description = "number of outputs", HelpName = "N", DefaultValueFactory = _ => 10 };
        var show = new Command("show", "Print a network's layers, shapes, parameters and multiply-adds (MACs).") { name, input, classes };
        show.SetAction(parsed => Print(host, SpecOf(parsed.GetRequiredValue(name), parsed.GetRequiredValue(input),
            parsed.GetValue(classes))));
        return show;
    }

    private static ModelSpec SpecOf(string typed, string input, int classes)
    {
        string name = CatalogNames.ModelOf(typed);
        if (classes is < 1 or > 1_000_000) throw new UsageException($"--classes {classes} is out of range: give 1 to 1000000.");
        return new ModelSpec(name, ImageSize.Parse("--input", input), classes);
    }

    private static int Print(CommandContext host, ModelSpec spec)
    {
        using Device device = Device.Cpu(1);
        FeatureClassifier net = ModelCatalog.Build(device, spec, seed: 0);
        host.Note($"for {net.Classes} classes and images of {spec.Input.C}x{spec.Input.H}x{spec.Input.W}: --classes and --input give others");
        LayerTable.Write(net, host.Out);
        return ExitCode.Done;
    }
}
