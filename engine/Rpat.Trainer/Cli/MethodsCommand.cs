using System.CommandLine;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat methods</c> and <c>rpat methods show NAME</c>: the training methods, their blocks and settings.</summary>
internal static class MethodsCommand
{
    // The rows of attacks in methods.md 2.1.
    private static readonly Dictionary<char, string> _starts = new()
    {
        ['A'] = "a random point of the ball, batch norms in evaluation mode",
        ['B'] = "the image with a little noise, batch norms in evaluation mode",
        ['C'] = "a random point of the ball, batch norms in training mode",
        ['D'] = "a random point of the ball, batch norms in evaluation mode",
        ['E'] = "a random point of the cube, batch norms in evaluation mode",
        ['G'] = "a random point of the ball, batch norms in training mode",
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
        foreach (var method in MethodCatalog.All) host.Out.WriteLine($"{method.Name.PadRight(width)}  {method.About} [{method.Source}]");
        string without = string.Join(", ", MethodCatalog.All.Where(method => !method.TakesRpat).Select(method => method.Name));
        host.Out.WriteLine($"NAME{MethodCatalog.RpatSuffix} adds RPAT's perception term to any of them but {without}.");
    }

    private static int Show(CommandContext host, string name)
    {
        string typed = name;
        var method = MethodCatalog.Find(name = CatalogNames.Methods.Canonical(name))
            ?? throw new UsageException($"there is no method '{typed}': {CatalogNames.Methods.Hint(typed)}");
        host.Out.WriteLine($"{name}: {method.About}");
        bool rpat = name.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal);
        foreach (var (title, text) in Rows(method, rpat))
            host.Out.WriteLine($"  {title,-9}{text}");
        host.Out.WriteLine();
        Settings(host, method, rpat);
        return ExitCode.Done;
    }

    private static void Settings(CommandContext host, MethodInfo method, bool rpat)
    {
        IReadOnlyList<Setting> term = rpat ? Setting.Of(new RobustPerception()) : [], settings = [.. method.Settings, .. term];
        if (settings.Count == 0) host.Out.WriteLine("no settings");
        foreach (var setting in method.Settings) host.Out.WriteLine(Line("method", setting));
        foreach (var setting in term) host.Out.WriteLine(Line("method.rpat", setting));
        if (method.Assumed.Count > 0) host.Out.WriteLine("next to its settings, the recipes of its published rows assume");
        foreach (var assumption in method.Assumed)
            host.Out.WriteLine($"  {assumption.Key} = {assumption.Value}  {assumption.About}  UNCERTAIN");
        if (method.Assumed.Count > 0 || settings.Any(s => s.IsUncertain))
            host.Out.WriteLine("UNCERTAIN: no source settles this value; it is assumed.");
    }

    private static IEnumerable<(string, string)> Rows(MethodInfo method, bool rpat)
    {
        var blocks = method.Row;
        yield return ("source", method.Source.Replace("methods.md", "docs/methods.md in the source code,", StringComparison.Ordinal));
        yield return ("attack", blocks.Attack);
        if (blocks.Attack is [var letter, ' ', ..] && _starts.TryGetValue(letter, out string? start))
            yield return ("", $"{letter}: PGD from {start}");
        yield return ("target", blocks.Target);
        yield return ("loss", blocks.Terms + (rpat ? " + weight mean (z(x~) - (1 - alpha) z(x) - alpha z(x'))^2, set by method.rpat" : ""));
        yield return ("weights", blocks.Weights == "1" ? "1: all images count alike" : blocks.Weights);
        yield return ("networks", blocks.Nets);
        yield return ("extra", blocks.Extra);
        if (blocks.Departs.Length > 0) yield return ("departs", blocks.Departs);
    }

    private static string Line(string section, Setting s) =>
        $"  {section}.{s.Name} = {s.Default}  {s.About}{Range(s)} [{s.Source}]{(s.IsUncertain ? "  UNCERTAIN" : "")}";

    private static string Range(Setting s) => s.IsNumber ? $"; {Numbers.Text(s.Min)} to {Numbers.Text(s.Max)}" : "";
}
