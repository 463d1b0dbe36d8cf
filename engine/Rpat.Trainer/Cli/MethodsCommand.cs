using System.CommandLine;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat methods</c> and <c>rpat methods show NAME</c>: the training methods, their blocks and settings.</summary>
internal static class MethodsCommand
{
    private const string Training = ", training mode", None = "none";

    private const int Title = 9;

    // The rows of attacks in methods.md 2.1: where PGD starts, and whether batch norms are in training mode.
    private static readonly Dictionary<char, (string Start, bool Trains)> _attacks = new()
    {
        ['A'] = ("a random point of the ball", false),
        ['B'] = ("the image with a little noise", false),
        ['C'] = ("a random point of the ball", true),
        ['D'] = ("a random point of the ball", false),
        ['E'] = ("a random point of the cube", false),
        ['G'] = ("a random point of the ball", true),
    };

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var list = new Command("list", "List the training methods.") { json.Option };
        list.SetAction(parsed => List(parsed, json, host));
        var name = new Argument<string>("NAME") { Description = "a method's name" };
        var show = new Command("show", "Print what a method is made of, its settings with their sources, and which of them are assumed.")
            { name };
        show.SetAction(parsed => Show(host, parsed.GetRequiredValue(name)));
        var command = new Command("methods", "List the training methods, or show one with its blocks and settings.")
            { list, show, json.Option };
        command.SetAction(parsed => List(parsed, json, host));
        return command;
    }

    private static int List(ParseResult parsed, JsonOption json, CommandContext host)
    {
        json.Give(parsed, host, () => MethodCatalog.All.Select(m => new { m.Name, m.About, m.Source, m.TakesRpat }), () => Print(host));
        return ExitCode.Done;
    }

    private static void Print(CommandContext host)
    {
        int width = MethodCatalog.All.Max(method => method.Name.Length);
        foreach (var method in MethodCatalog.All)
            host.Tell($"{method.Name.PadRight(width)}  {method.About} [{DocsCommand.Referring(method.Source)}]", width + 2);
        string without = string.Join(", ", MethodCatalog.All.Where(method => !method.TakesRpat).Select(method => method.Name));
        host.Tell($"NAME{MethodCatalog.RpatSuffix} adds RPAT's perception term to any of them but {without}.");
    }

    private static int Show(CommandContext host, string name)
    {
        string typed = name;
        var method = MethodCatalog.Find(name = CatalogNames.Methods.Canonical(name))
            ?? throw new UsageException($"there is no method '{typed}': {CatalogNames.Methods.Hint(typed)}");
        host.Tell($"{name}: {method.About}");
        bool rpat = name.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal);
        foreach (var (title, text) in Rows(method, rpat)) host.Tell($"  {title,-Title}{text}", Title + 2);
        host.Tell("  x is an image, x' its adversarial example, z logits, p their softmax, y the true class; more in "
            + "'rpat docs methods 0.1'");
        host.Out.WriteLine();
        Settings(host, method, rpat);
        return ExitCode.Done;
    }

    private static void Settings(CommandContext host, MethodInfo method, bool rpat)
    {
        IReadOnlyList<Setting> term = rpat ? Setting.Of(new RobustPerception()) : [], settings = [.. method.Settings, .. term];
        if (settings.Count == 0) host.Out.WriteLine("no settings");
        foreach (var setting in method.Settings) host.Tell(Line("method", setting), 4);
        foreach (var setting in term) host.Tell(Line("method.rpat", setting), 4);
        if (method.Assumed.Count > 0) host.Out.WriteLine("next to its settings, the recipes of its published rows assume");
        foreach (var assumption in method.Assumed)
            host.Tell($"  {assumption.Key} = {assumption.Value}  {DocsCommand.Referring(assumption.About)}  UNCERTAIN", 4);
        if (method.Assumed.Count > 0 || settings.Any(s => s.IsUncertain))
            host.Out.WriteLine("UNCERTAIN: no source settles this value; it is assumed.");
    }

    private static IEnumerable<(string, string)> Rows(MethodInfo method, bool rpat)
    {
        var blocks = method.Row;
        yield return ("source", DocsCommand.Referring(method.Source));
        yield return ("attack", Attack(blocks.Attack));
        yield return ("target", blocks.Target);
        yield return ("loss", blocks.Terms + (rpat ? " + weight mean (z(x~) - (1 - alpha) z(x) - alpha z(x'))^2, set by method.rpat" : ""));
        yield return ("weights", blocks.Weights == "1" ? "all images count alike" : blocks.Weights);
        if (blocks.Nets != None) yield return ("networks", blocks.Nets);
        if (blocks.Extra != None) yield return ("extra", blocks.Extra);
        if (blocks.Departs.Length > 0) yield return ("departs", DocsCommand.Referring(blocks.Departs));
    }

    // A row of attacks is named by its letter: "B on KL".
    private static string Attack(string declared)
    {
        if (declared is not [var letter, ' ', ..] || !_attacks.TryGetValue(letter, out var row)) return declared;
        bool trains = row.Trains || declared.Contains(Training, StringComparison.Ordinal);
        return $"PGD{declared[1..].Replace(Training, "", StringComparison.Ordinal)}; starts at {row.Start}; batch norms in "
            + $"{(trains ? "training" : "evaluation")} mode";
    }

    private static string Line(string section, Setting s) =>
        $"  {section}.{s.Name} = {s.Default}  {s.About}{Range(s)} [{DocsCommand.Referring(s.Source)}]"
        + (s.IsUncertain ? "  UNCERTAIN" : "");

    private static string Range(Setting s) => s.IsNumber ? $"; {Numbers.Text(s.Min)} to {Numbers.Text(s.Max)}" : "";
}
