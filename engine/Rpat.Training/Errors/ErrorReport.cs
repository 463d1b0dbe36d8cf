namespace Rpat.Training.Errors;

/// <summary>What an exception means to the user: one sentence and an exit code. The only place that maps one to the other.</summary>
/// <param name="Code">One of <see cref="ExitCode"/>.</param>
internal sealed record ErrorReport(string Sentence, int Code)
{
    /// <summary>Maps any exception. Unknown ones are internal errors and say so.</summary>
    /// <param name="plugins">The files of others' code in this process: what is unknown is likelier theirs.</param>
    public static ErrorReport Of(Exception error, IReadOnlyList<string>? plugins = null) => error switch
    {
        UserException known => new(OneLine(known.Message), known.Code),
        DataException => new(OneLine(error.Message), ExitCode.Data),
        CheckpointException => new(OneLine(error.Message), ExitCode.Checkpoint),
        HandshakeException => new(OneLine(error.Message), ExitCode.Usage),
        PeerLostException { Code: 0 } => new(
            $"{OneLine(error.Message)}; a training run resumes from its last checkpoint with --resume auto, in any number of processes.",
            ExitCode.Device),
        PeerLostException lost => new(FormattableString.Invariant($"rank {lost.Rank} failed: {OneLine(error.Message)}"), lost.Code),
        NcclException => new($"{OneLine(error.Message)}.", ExitCode.Device),
        NotFiniteException => new(OneLine(error.Message), ExitCode.Untrusted),
        ContractException => new(OneLine(error.Message), ExitCode.Usage),
        OutOfMemoryException => new("out of memory: choose a smaller train.batch, eval.batch or model.width, or of a trained "
            + "network a smaller --batch-size.", ExitCode.Device),
        _ when GpuBackend.Explain(error) is { } sentence => new(OneLine(sentence), ExitCode.Device),
        _ when PluginFailure.Of(error) is { } sentence => new($"{OneLine(sentence).TrimEnd('.')}; --verbose shows where.",
            error is FileNotFoundException or DirectoryNotFoundException ? ExitCode.Data : ExitCode.Usage),
        IOException or UnauthorizedAccessException => new(OneLine(error.Message), ExitCode.Usage),
        _ when plugins is { Count: > 0 } => new(
            $"with the plugin {string.Join(", ", plugins.Select(Path.GetFileName))}: {error.GetType().Name}: {OneLine(error.Message).TrimEnd('.')}; "
            + "this is likely a mistake of the plugin, and --verbose shows where.", ExitCode.Usage),
        ShapeException => new(OneLine(error.Message), ExitCode.Usage),
        _ => new(
            $"internal error, please report it with the command line that led here: {error.GetType().Name}: {OneLine(error.Message)}",
            ExitCode.Internal),
    };

    private static string OneLine(string text) => string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
