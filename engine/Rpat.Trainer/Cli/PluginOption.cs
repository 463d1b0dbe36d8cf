using System.CommandLine;
using System.CommandLine.Parsing;
using System.Reflection;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>--plugin FILE</c> of every command: an assembly whose methods, attacks, networks and data sets can then be used by name, also in the
/// processes that a run starts.
/// </summary>
internal static class PluginOption
{
    private const string Name = "--plugin";

    /// <summary>Gives the option to every command.</summary>
    public static void AddTo(RootCommand root) => root.Add(new Option<string[]>(Name)
    {
        Description = "an assembly with methods, attacks, networks or data sets of your own; may be given several times",
        HelpName = "FILE.dll",
        Recursive = true,
    });

    /// <summary>Loads the given assemblies, which decide what else the command line may contain.</summary>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="UsageException">A file is not an assembly, or its declarations are invalid.</exception>
    public static bool Load(ParseResult parsed)
    {
        string[] files = Files(parsed);
        foreach (string file in files.Where(file => !string.IsNullOrWhiteSpace(file))) Load(file);
        return files.Length > 0;
    }

    /// <summary>The option as it was given, for a command that this one runs.</summary>
    public static IEnumerable<string> Given(ParseResult parsed) => Files(parsed).SelectMany(file => new[] { Name, file });

    private static string[] Files(ParseResult parsed) =>
        parsed.GetResult(Name) is OptionResult given ? [.. given.Tokens.Select(token => token.Value)] : [];

    private static void Load(string file)
    {
        try
        {
            Nn.Catalog.Register(Assembly.LoadFrom(Path.GetFullPath(file)));
            DataSets.RequireOwnNames();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException && !File.Exists(file))
        {
            throw new UsageException($"{Name} '{file}' is not there: give the path of an assembly.");
        }
        catch (Exception error) when (error is BadImageFormatException or FileLoadException or FileNotFoundException
        or UnauthorizedAccessException)
        {
            throw new UsageException(
                $"{Name} '{file}' cannot be loaded ({error.Message.TrimEnd('.')}): give a .NET assembly that was built against this "
                    + $"program.");
        }
        catch (ReflectionTypeLoadException error)
        {
            string reason = error.LoaderExceptions.OfType<Exception>().FirstOrDefault()?.Message.TrimEnd('.') ?? "unknown";
            throw new UsageException($"{Name} '{file}' does not fit this program ({reason}): build it against this version.");
        }
        catch (ArgumentException error)
        {
            throw new UsageException($"{Name} '{file}': {error.Message}");
        }
    }
}
