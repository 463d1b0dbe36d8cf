using System.Text.RegularExpressions;

namespace Rpat.Trainer.Output;

/// <summary>
/// Prints errors. The libraries advise in words of their own, since a program that embeds them has no command line: here those words get
/// their options.
/// </summary>
internal static partial class ErrorOutput
{
    private static readonly (string Words, string Option)[] _options =
    [
        ("as data.dir", "with --data-dir"),
        ("as run.out", "with --out"),
        ("give the same images, or start", "give their folder with --data-dir, or start"),
        ("give its path, and allow the change", "give its path, and --allow-change KEY"),
        ("with resume: true", "with --resume"),
        ("another folder for it", "another --out"),
        ("see WeightFile.Values, and open a part by its key", "look into it with 'rpat import FILE --list', and choose a part with --key"),
        ("see the names in WeightFile.Tensors", "see what it has with 'rpat import FILE --list'"),
        ("give its model's name", "give --model"),
        ("; choose another model.", "; choose another --model, or take what fits with --no-strict."),
        ("choose another model, or another part of the file", "choose another --model, or another part with --key"),
        ("needs 8.0: choose fp32", "needs 8.0: choose --precision fp32"),
        ("or use the CPU", "or use --device cpu"),
        ("'rpat devices' with its self-test, and resume the training", "'rpat devices --self-test', and train again with --resume"),
        ("the perception term's is method.rpat.weight", "the perception term's is --rpat-weight, or --set method.rpat.weight="),
        ("docs/adding-a-model.md lists", "'rpat docs adding-a-model' lists"),
        ("those of your own are registered first", "those of your own need --plugin FILE.dll"),
    ];

    /// <summary>What the libraries say where an option helps, for the tests.</summary>
    internal static IEnumerable<string> Words => _options.Select(pair => pair.Words);

    /// <summary>
    /// Prints <c>rpat: SENTENCE</c>; if no log has it, an internal error is followed by its stack trace, which a bug report needs.
    /// </summary>
    /// <param name="logged">Whether the trace of an internal error is kept in a log.</param>
    /// <returns>The exit code.</returns>
    public static int Print(
        Exception error, TextWriter output, bool details = false, bool logged = false, IReadOnlyList<string>? plugins = null)
    {
        var report = ErrorReport.Of(error, plugins);
        if (error is PeerLostException { Code: 0 }) return report.Code; // one rank has reported it when it was lost
        output.WriteLine($"rpat: {WithOptions(report.Sentence)}");
        if (details || (report.Code == ExitCode.Internal && !logged)) output.WriteLine(error.ToString());
        return report.Code;
    }

    private static string WithOptions(string sentence) => Changed().Replace(
        _options.Aggregate(sentence, (text, pair) => text.Replace(pair.Words, pair.Option, StringComparison.Ordinal)),
        "$1$2, start a new run, or insist with --allow-change $1.");

    [GeneratedRegex(@"^(\S+)( is '.* where run '.*), or start a new run under another run\.name\.\z")]
    private static partial Regex Changed();
}
