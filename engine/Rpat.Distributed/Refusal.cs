namespace Rpat.Distributed;

/// <summary>Why a process that has come cannot be one of a team.</summary>
/// <param name="Sentence">The reason, for rank 0 and for whoever has proved the join token.</param>
/// <param name="Hint">The same without what rank 0 is, for whoever has proved nothing since there is no token.</param>
/// <param name="IsOurs">Whether it may well be one of the awaited processes, only started otherwise.</param>
internal sealed record Refusal(string Sentence, string Hint, bool IsOurs)
{
    /// <summary>Compares a hello with what rank 0 has; null where it fits.</summary>
    /// <param name="isThere">Whether that connection of that rank has been made before.</param>
    /// <param name="options">What rank 0 has.</param>
    public static Refusal? Of(JoinRequest hello, int size, Func<JoinRequest, bool> isThere, ProcessGroupOptions options)
    {
        int rank = hello.Rank;
        if (hello.Size != size)
            return new(
                $"rank {rank} was started as one of {hello.Size} processes and rank 0 as one of {size}: start all with the same number.",
                $"rank {rank} was started as one of {hello.Size} processes and rank 0 with another number: start all with the same "
                    + $"number.", false);
        if (rank <= 0 || rank >= size)
            return Plain($"a process came as rank {rank} of {size}: ranks go from 0 to {size - 1}, each once.", false);
        if (isThere(hello)) return Plain($"two processes came as rank {rank}: each rank may be started once.", false);
        if (hello.Program != options.Program)
            return new(
                $"rank {rank} runs version {hello.Program} and rank 0 version {options.Program}: use the same program everywhere.",
                $"rank {rank} runs version {hello.Program} and rank 0 another one: use the same program everywhere.", true);
        return hello.Configuration == options.Configuration
            ? null
            : Plain($"rank {rank} has another configuration than rank 0: give all processes the same recipe, files, environment and options.", true);
    }

    private static Refusal Plain(string sentence, bool isOurs) => new(sentence, sentence, isOurs);
}
