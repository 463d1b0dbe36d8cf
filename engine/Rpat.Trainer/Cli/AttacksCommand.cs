using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat attacks</c>: every attack with its norms, defaults and source.</summary>
internal static class AttacksCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var name = new Argument<string>("NAME") { Description = "an attack's name" };
        var show = new Command("show", "Print an attack's norms, defaults and source.") { name };
        show.SetAction(parsed => Show(host, parsed.GetRequiredValue(name)));
        var command = new Command("attacks", "List the attacks with their norms, defaults and sources, or show one.")
        { show, json.Option };
        command.SetAction(parsed =>
        {
            int name = AttackCatalog.All.Max(a => a.Name.Length), norms = AttackCatalog.All.Max(a => a.Norms.Length);
            json.Give(parsed, host, () => AttackCatalog.All.Select(a => new { a.Name, a.Norms, a.Defaults, a.Source }), () =>
            {
                foreach (var a in AttackCatalog.All)
                    host.Tell($"{a.Name.PadRight(name)}  {a.Norms.PadRight(norms)}  {a.Defaults} [{a.Source}]", name + norms + 4);
            });
            return ExitCode.Done;
        });
        return command;
    }

    // pgd50 is pgdN with another number of steps.
    private static int Show(CommandContext host, string typed)
    {
        string name = CatalogNames.Attacks.Match(typed) ?? CatalogNames.Attacks.Match(typed.Replace("N", "20", StringComparison.Ordinal))
            ?? throw new UsageException($"there is no attack '{typed}': {CatalogNames.Attacks.Hint(typed)}");
        name = AutoAttack.Find(name, Norm.Linf, 0.1, 10)?.Name ?? name; // aa-standard is aa
        var rows = AttackCatalog.All.SelectMany(info => info.Name.Split(", "), (info, listed) => (Listed: listed, Info: info)).ToList();
        var (row, info) = rows.Find(row => row.Listed == name) is { Info: not null } same ? same
            : rows.FindLast(row => Kind(row.Listed) == Kind(name));
        host.Out.WriteLine($"{name}{(row == name ? "" : $" (as {row}, with its own number)")}\n  norms     {info.Norms}");
        host.Tell($"  defaults  {info.Defaults}", 12);
        host.Tell($"  source    {info.Source}", 12);
        host.Tell($"  shown as  {AttackTitle.Of(name)}", 12);
        return ExitCode.Done;
    }

    private static string Kind(string name) => name.TrimEnd("0123456789N".ToCharArray());
}
