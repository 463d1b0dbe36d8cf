using System.CommandLine;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Recipes;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat recipes</c> and <c>rpat recipes show NAME</c>.</summary>
internal static class RecipesCommand
{
    /// <summary>The command, for the root to hold.</summary>
    public static Command Create(Host host)
    {
        var list = new Command("list", "List the recipes that ship with the program.");
        list.SetAction(_ => List(host));
        var command = new Command("recipes", "List the recipes that ship with the program, or show one.") { list, Show(host) };
        command.SetAction(_ => List(host));
        return command;
    }

    private static Command Show(Host host)
    {
        var name = new Argument<string>("NAME") { Description = "a recipe's name" };
        var show = new Command("show", "Print a recipe with the source of each value.") { name };
        show.SetAction(parsed =>
        {
            host.Out.Write(RecipeLibrary.Text(parsed.GetRequiredValue(name), "recipes show"));
            return ExitCode.Done;
        });
        return show;
    }

    private static int List(Host host)
    {
        int width = RecipeLibrary.Names.Max(name => name.Length);
        foreach (string name in RecipeLibrary.Names) host.Out.WriteLine($"{name.PadRight(width)}  {RecipeLibrary.About(name)}");
        return ExitCode.Done;
    }
}
