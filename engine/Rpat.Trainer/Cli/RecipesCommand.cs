using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat recipes</c>, <c>rpat recipes show NAME</c> and <c>rpat recipes diff A B</c>.</summary>
internal static class RecipesCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var list = new Command("list", "List the recipes that ship with the program.") { json.Option };
        list.SetAction(parsed => List(parsed, json, host));
        var command = new Command("recipes", "List the recipes that ship with the program, show one, or compare two.")
            { list, Show(host), Diff(host), json.Option };
        command.SetAction(parsed => List(parsed, json, host));
        return command;
    }

    private static Command Show(CommandContext host)
    {
        var name = new Argument<string>("NAME") { Description = "a recipe's name" };
        var written = new Option<bool>("--as-written")
        { Description = "print the recipe's own row instead of all its values: what it is put together from, and what it sets itself" };
        var show = new Command("show", "Print a recipe's values with the source of each, and what was published.") { name, written };
        show.SetAction(parsed =>
        {
            string recipe = parsed.GetRequiredValue(name);
            using var text = new StringWriter();
            if (parsed.GetValue(written)) RecipeText.Row(recipe, text);
            else RecipeText.Show(recipe, text);
            host.Out.Write(DocsCommand.Referring(text.ToString()));
            return ExitCode.Done;
        });
        return show;
    }

    private static Command Diff(CommandContext host)
    {
        var a = new Argument<string>("A") { Description = "a recipe's name" };
        var b = new Argument<string>("B") { Description = "another's" };
        var diff = new Command("diff", "Print the keys in which two recipes differ.") { a, b };
        diff.SetAction(parsed =>
        {
            RecipeText.Diff(parsed.GetRequiredValue(a), parsed.GetRequiredValue(b), host.Out);
            return ExitCode.Done;
        });
        return diff;
    }

    private static int List(ParseResult parsed, JsonOption json, CommandContext host)
    {
        json.Give(parsed, host, () => RecipeLibrary.Names.Select(Json), () =>
        {
            new TextTable(RecipeText.Head, [.. RecipeText.Rows(RecipeLibrary.Names)], RightFrom: 4)
            { Spare = ["epochs", "net", "AA", "Clean", "norm"] }.Show(host);
            host.Tell("  Clean and AA: published for these settings, in percent; 'rpat recipes show NAME' has the sources, and what it is "
                + "for");
        });
        return ExitCode.Done;
    }

    private static object Json(string name)
    {
        var config = RecipeLibrary.Resolve(name, "recipes list").Config;
        return new
        {
            name,
            about = config.Recipe.About,
            data = config.Data.Name,
            model = config.Model.Name,
            method = config.Method.Name,
            published = Published(name)
        };
    }

    private static object? Published(string name) =>
        RecipeLibrary.Published(name) is { } p ? new { p.Row, p.Clean, p.Aa, p.Mean, p.Nrr } : null;
}
