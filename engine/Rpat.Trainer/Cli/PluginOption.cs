using System.CommandLine;
using System.CommandLine.Parsing;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>--plugin FILE</c> of every command: an assembly whose methods, attacks, networks and data sets can then be used by name, also in the
/// processes that a run starts.
/// </summary>
internal static partial class PluginOption
{
    private const string Name = RunPlugins.Option;

    /// <summary>Gives the option to every command.</summary>
    public static void AddTo(RootCommand root) => root.Add(new Option<string[]>(Name)
    {
        Description = "an assembly with methods, attacks, networks or data sets of your own; may be given several times",
        HelpName = "FILE.dll",
        Recursive = true,
    });

    /// <summary>Loads the given assemblies, which decide what else the command line may contain.</summary>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="UsageException">A file is not an assembly, its declarations are invalid, or its code throws.</exception>
    public static bool Load(ParseResult parsed, CommandContext host)
    {
        string[] files = Files(parsed);
        foreach (string file in files.Where(file => !string.IsNullOrWhiteSpace(file)))
            if (IsEmpty(file) && Launcher.Find(host.Environment, host.ErrorIsTerminal) is null or { Rank: 0 })
                host.Warn($"warning: {Name} '{file}' declares no method, attack, network or data set: give one of its classes [Method], "
                    + "[Attack], [Model] or [DataSet].");
        return files.Length > 0;
    }

    /// <summary>The option as it was given, for a command that this one runs.</summary>
    public static IEnumerable<string> Given(ParseResult parsed) => Files(parsed).SelectMany(file => new[] { Name, file });

    /// <summary>The files that were given.</summary>
    public static string[] Files(ParseResult parsed) =>
        parsed.GetResult(Name) is OptionResult given ? [.. given.Tokens.Select(token => token.Value)] : [];

    private static bool IsEmpty(string file)
    {
        try
        {
            var assembly = Assembly.LoadFrom(Path.GetFullPath(file));
            int count = Catalog.Register(assembly, CatalogNames.Meant);
            _ = ConfigKeys.All; // refuses settings under names that the section of methods has itself
            return count == 0 && !GpuBackend.HasStructs(assembly);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new UsageException($"{Name} '{file}'{Problem(file, error)}", error);
        }
    }

    private static string Problem(string file, Exception error) => error switch
    {
        _ when Directory.Exists(file) => " is a folder: give the assembly in it, a file that ends in .dll.",
        _ when !File.Exists(file) => " is not there: give the path of an assembly.",
        BadImageFormatException => " is no .NET assembly for this machine: give one that was built against this program.",
        ReflectionTypeLoadException { LoaderExceptions: var reasons } => Unloadable(reasons.OfType<Exception>().FirstOrDefault()),
        ArgumentException or ConfigException => $": {Named().Replace(error.Message, "")}",
        _ => $" does not fit this program ({error.Message.TrimEnd('.')}): build it against this version, and copy what it needs beside it.",
    };

    // The file's name has it already.
    [GeneratedRegex("^plugin [^:]+: ")]
    private static partial Regex Named();

    private static string Unloadable(Exception? error) => error is FileNotFoundException { FileName: { } name }
        ? $" needs the assembly {name.Split(',')[0]}, which is not beside it: copy {name.Split(',')[0]}.dll there, or build with "
            + "CopyLocalLockFileAssemblies."
        : $" does not fit this program ({error?.Message.TrimEnd('.') ?? "unknown"}): build it against this version.";
}
