using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat attacks</c>: every attack with its norms, defaults and source.</summary>
internal static class AttacksCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var command = new Command("attacks", "List the attacks with their norms, defaults and sources.") { json.Option };
        command.SetAction(parsed =>
        {
            int name = AttackCatalog.All.Max(a => a.Name.Length), norms = AttackCatalog.All.Max(a => a.Norms.Length);
            json.Give(parsed, host, () => AttackCatalog.All.Select(a => new { a.Name, a.Norms, a.Defaults, a.Source }), () =>
            {
                foreach (var a in AttackCatalog.All)
                    host.Out.WriteLine($"{a.Name.PadRight(name)}  {a.Norms.PadRight(norms)}  {a.Defaults} [{a.Source}]");
            });
            return ExitCode.Done;
        });
        return command;
    }
}
