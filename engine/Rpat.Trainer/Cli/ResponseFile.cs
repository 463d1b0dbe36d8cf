using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat @FILE</c>: arguments from a file, any number per line; a line that begins with <c>#</c> is a comment.</summary>
internal static class ResponseFile
{
    private const int MostBytes = 1 << 20;

    /// <summary>Reads the arguments for the command line's parser.</summary>
    /// <param name="name">The text after <c>@</c>.</param>
    /// <param name="arguments">The file's arguments, none of which may name a file again: one that names itself would never end.</param>
    /// <param name="problem">Not used: the parser would report other errors first.</param>
    /// <exception cref="UsageException">The file cannot be read, or names another.</exception>
    public static bool TryRead(string name, out IReadOnlyList<string>? arguments, out string? problem)
    {
        (arguments, problem) = (null, null);
        try
        {
            var lines = RegularFile.ReadText(name, MostBytes).Split('\n').Select(line => line.Trim())
                .Where(line => line is not ("" or ['#', ..]));
            arguments = [.. lines.SelectMany(CommandLineParser.SplitCommandLine)];
        }
        catch (IOException error)
        {
            throw new UsageException($"the arguments of '@{name}' cannot be read: {error.Message}", error);
        }

        if (arguments.FirstOrDefault(argument => argument is ['@', _, ..]) is not { } nested) return true;
        throw new UsageException($"'@{name}' names another file of arguments, '{nested}': write its arguments out.");
    }
}
