using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>--deterministic strict|fast</c> of every command. No kernel of this engine, on the CPU or on a GPU, adds in an order that depends on
/// threads or time, so there is nothing that giving up exact repetition would make faster: both words mean the same.
/// </summary>
internal static class Determinism
{
    private const string Name = "--deterministic", Strict = "strict", Fast = "fast";

    /// <summary>Gives the option to every command.</summary>
    public static void AddTo(RootCommand root)
    {
        var option = new Option<string?>(Name)
        {
            Description = "every result is strict, the same bits each time; fast is understood and means the same",
            HelpName = $"{Strict}|{Fast}",
            Recursive = true,
        };
        option.CompletionSources.Add(Strict, Fast);
        root.Add(option);
    }

    /// <summary>Checks what the user gave.</summary>
    /// <exception cref="UsageException">It is neither word.</exception>
    public static void Check(ParseResult parsed, CommandContext host)
    {
        if (parsed.Errors.Count > 0 || parsed.GetResult(Name) is null) return;
        string value = parsed.GetValue<string?>(Name) ?? "";
        if (value is not (Strict or Fast)) throw new UsageException($"{Name} is '{value}': give {Strict} or {Fast}.");
        if (value == Fast) host.Note($"note: every kernel adds in a fixed order, so {Name} {Fast} is the same as {Strict}");
    }
}
