namespace Rpat.Distributed.Tcp;

/// <summary>Why a connecting process cannot join the group.</summary>
/// <param name="Sentence">The reason, for rank 0 and for processes that have proved the join token.</param>
/// <param name="Hint">The same without rank 0's own values, for processes that have proved nothing because there is no token.</param>
/// <param name="IsOurs">Whether it is probably one of the expected processes, started with other settings.</param>
internal sealed record Refusal(string Sentence, string Hint, bool IsOurs)
{
    /// <summary>Compares a join request with rank 0's values; null if it fits.</summary>
    /// <param name="isThere">Whether this connection of this rank has already been made.</param>
    /// <param name="options">Rank 0's values.</param>
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
