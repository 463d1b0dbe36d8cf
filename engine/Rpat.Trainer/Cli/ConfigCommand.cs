using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat config show|check|schema</c>: what a configuration resolves to, whether it is valid, and which keys exist.</summary>
internal static class ConfigCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host) =>
        new("config", "Show a resolved configuration, check files, or print the keys as a JSON schema.")
    {
        Show(host), Check(host), SchemaOf(host),
    };

    private static Command Show(CommandContext host)
    {
        var options = new ConfigOptions();
        var show =
            new Command("show", "Print every key as it is resolved from recipe, files, environment and options, with where it came from.");
        options.AddTo(show);
        show.SetAction(parsed =>
        {
            host.Out.Write(ConfigWriter.Write(ConfigResolver.Resolve(options.Sources(parsed, host))));
            return ExitCode.Done;
        });
        return show;
    }

    private static Command Check(CommandContext host)
    {
        var files = new Argument<string[]>("FILE") { Description = "configuration files (YAML or JSON)", Arity = ArgumentArity.OneOrMore };
        var check = new Command("check", "Check that files hold only known keys and right values.") { files };
        check.SetAction(parsed =>
        {
            int code = ExitCode.Done;
            foreach (string file in parsed.GetRequiredValue(files)) code = Math.Max(code, CheckFile(host, file));
            return code;
        });
        return check;
    }

    // Each file alone: whether a file is valid does not depend on the environment.
    private static int CheckFile(CommandContext host, string file)
    {
        try
        {
            ConfigResolver.Resolve(new ConfigSources([file], new Dictionary<string, string>(), [], []));
            host.Out.WriteLine($"{file}: ok");
            return ExitCode.Done;
        }
        catch (UserException error)
        {
            return ErrorOutput.Print(error, host.Error);
        }
    }

    private static Command SchemaOf(CommandContext host)
    {
        var schema = new Command("schema", "Print a JSON schema of all keys, from which editors complete and check files.");
        schema.SetAction(_ =>
        {
            host.Out.Write(JsonSchemaWriter.Write());
            return ExitCode.Done;
        });
        return schema;
    }
}
