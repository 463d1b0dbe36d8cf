using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat demo</c>: made-up pictures, training, AutoAttack and a report in about a minute, by
/// the commands that a user would type.</summary>
internal sealed class DemoCommand
{
    private readonly CommandContext _host;
    private readonly Option<string> _out = new("--out", "-o")
    { Description = "folder of pictures, run and report", HelpName = "DIR", DefaultValueFactory = _ => "demo" };

    private DemoCommand(CommandContext host) => _host = host;

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var demo = new DemoCommand(host);
        var command =
            new Command("demo", "Show what the program does in about a minute: made-up pictures, training, AutoAttack, a report.")
            { demo._out };
        command.SetAction(demo.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        foreach (string[] command in Commands(parsed.GetRequiredValue(_out)))
        {
            _host.Note($"$ rpat {string.Join(' ', command)}");
            int code = App.RunInner(command, _host);
            if (code != ExitCode.Done) return code;
        }

        return ExitCode.Done;
    }

    private static IEnumerable<string[]> Commands(string folder)
    {
        string pictures = Path.Combine(folder, "pictures.npz"), run = Path.Combine(folder, "latest");
        AtomicFile.MakeFolder(folder);
        yield return ["data", "synth", "npz", "-o", pictures, "--n", "2000", "--test", "200", "--size", "3x16x16"];
        yield return ["train", "--recipe", "fashion-quick", "--dataset", $"npz:{pictures}", "--set", "model.width=8", "--epochs", "6",
            "--out", folder, "--name", "demo"];
        yield return ["eval", run, "--data", $"npz:{pictures}", "--attacks", "clean,pgd20,aa", "--n", "50"];
        yield return ["report", run];
    }
}
