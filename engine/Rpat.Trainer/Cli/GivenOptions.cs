using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary>Options that only go with others: given where nothing would read them, they are refused instead of ignored.</summary>
internal static class GivenOptions
{
    /// <summary>The first of some options that the user gave, or null.</summary>
    public static Option? FirstGiven(this ParseResult parsed, IEnumerable<Option> options) =>
        options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });

    /// <summary>Refuses options.</summary>
    /// <param name="why">The rest of the sentence after the option's name: what it is for and what to do.</param>
    /// <exception cref="UsageException">One is given.</exception>
    public static void RefuseOptions(this ParseResult parsed, string why, params IEnumerable<Option> options)
    {
        if (parsed.FirstGiven(options) is { } useless) throw new UsageException($"{useless.Name} {why}.");
    }
}
