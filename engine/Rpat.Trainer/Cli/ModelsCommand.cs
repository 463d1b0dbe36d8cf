using System.CommandLine;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat models</c> and <c>rpat models show NAME</c>.</summary>
internal static class ModelsCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var list = new Command("list", "List the networks.") { json.Option };
        list.SetAction(parsed => List(parsed, json, host));
        var command = new Command("models", "List the networks, or show one layer by layer.") { list, Show(host), json.Option };
        command.SetAction(parsed => List(parsed, json, host));
        return command;
    }

    private static int List(ParseResult parsed, JsonOption json, CommandContext host)
    {
        int width = ModelCatalog.All.Max(item => item.Name.Length);
        json.Give(parsed, host, () => ModelCatalog.All.Select(family => new { family.Name, family.About }), () =>
        {
            foreach (var item in ModelCatalog.All) host.Out.WriteLine($"{item.Name.PadRight(width)}  {item.About}");
        });
        return ExitCode.Done;
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
        LayerTable.Write(net, host.Out);
        return ExitCode.Done;
    }
}
