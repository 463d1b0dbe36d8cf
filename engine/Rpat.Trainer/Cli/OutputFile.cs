using System.CommandLine;
using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary>Where a command writes its one file.</summary>
internal static class OutputFile
{
    /// <summary>The file that was given, the usual name in a folder that was given, or the usual name.</summary>
    /// <exception cref="UsageException">It is a dash, for which no file stands.</exception>
    public static string Of(string? given, string usual) =>
        string.IsNullOrEmpty(given) ? usual
        : given == "-" ? throw new UsageException($"'-' is no file's name: give one, such as {usual}.")
        : Path.EndsInDirectorySeparator(given) || Directory.Exists(given) ? Path.Combine(given, usual)
        : given;

    /// <summary>Has an option refuse a file that cannot be made, before the work whose result it takes.</summary>
    public static Option<string?> Checked(Option<string?> option)
    {
        option.Validators.Add(given =>
        {
            if (given.Tokens is not [{ Value: not "-" and var path }] || EmptyValues.Problem(option.Name, given.Tokens) is not null) return;
            try
            {
                if (!IsInOut(path, given)) AtomicFile.RequirePlace(path);
            }
            catch (IOException error)
            {
                given.AddError(error.Message);
            }
        });
        return option;
    }

    // The folder of all results is made when there are some.
    private static bool IsInOut(string path, OptionResult given) => given.Parent is CommandResult command
        && command.Children.OfType<OptionResult>().Any(other => other.Option.Name == "--out" && other.Tokens is [{ Value.Length: > 0 } made]
            && Path.GetRelativePath(made.Value, path).Split(Path.DirectorySeparatorChar)[0] is not (".." or "."));
}
