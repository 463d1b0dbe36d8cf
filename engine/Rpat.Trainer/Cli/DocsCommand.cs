using System.CommandLine;
using System.Text.RegularExpressions;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat docs [PAGE] [SECTION]</c>: the pages of documentation, which are inside the program.</summary>
internal static partial class DocsCommand
{
    private const string Prefix = "docs/";

    private static readonly KnownNames _pages = new("pages", () => typeof(DocsCommand).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..]).Order())
    { Command = "rpat docs" };

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var page = new Argument<string?>("PAGE") { Description = "a page's name", Arity = ArgumentArity.ZeroOrOne };
        var section = new Argument<string?>("SECTION")
        { Description = "number of a section, such as 2.3", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("docs", "List the pages of documentation, or print one or a section of it.") { page, section };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(page) is not { } typed) List(host);
            else host.Out.Write(parsed.GetValue(section) is { } number ? Section(Named(typed), number) : Text(Named(typed)));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>A source with its references to pages as commands: <c>methods.md 2.3</c> is <c>'rpat docs methods 2.3'</c>.</summary>
    public static string Referring(string source) => Reference().Replace(source, "'rpat docs $1 $2'");

    private static void List(CommandContext host)
    {
        string[] pages = [.. _pages.All()];
        int width = pages.Max(page => page.Length);
        foreach (string page in pages) host.Tell($"{page.PadRight(width)}  {Text(page).Split('\n')[0].TrimStart('#', ' ')}", width + 2);
    }

    private static string Named(string typed)
    {
        string name = typed.EndsWith(".md", StringComparison.OrdinalIgnoreCase) ? typed[..^3] : typed;
        return _pages.Match(name) ?? throw new UsageException($"there is no page '{typed}': {_pages.Hint(name)}");
    }

    private static string Text(string page)
    {
        using var stream = typeof(DocsCommand).Assembly.GetManifestResourceStream(Prefix + page)!;
        return new StreamReader(stream).ReadToEnd().ReplaceLineEndings("\n");
    }

    // Up to the next heading of its level or a higher one.
    private static string Section(string page, string number)
    {
        string[] lines = Text(page).Split('\n');
        int start = Array.FindIndex(lines, line =>
            Heading().Match(line).Groups[2] is { Success: true } at && at.Value == number.TrimEnd('.'));
        if (start < 0)
        {
            string[] all = [.. lines.Select(line => Heading().Match(line)).Where(match => match.Success)
                .Select(match => match.Groups[2].Value)];
            throw new UsageException($"'{page}' has no section '{number}': " + (all.Length == 0
                ? $"its sections have no numbers, so read 'rpat docs {page}'." : DidYouMean.Hint(number, all, "sections")));
        }
        int level = Heading().Match(lines[start]).Groups[1].Length;
        var rest = lines.Skip(start + 1).TakeWhile(line => !(line.StartsWith('#') && line.TrimStart('#').Length >= line.Length - level));
        return string.Join('\n', rest.Prepend(lines[start])).TrimEnd() + "\n";
    }

    [GeneratedRegex(@"^(##+) ([0-9][0-9.]*?)\.? ")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\b(methods|attacks)\.md (?:section )?([0-9]+(?:\.[0-9]+)*)")]
    private static partial Regex Reference();
}
