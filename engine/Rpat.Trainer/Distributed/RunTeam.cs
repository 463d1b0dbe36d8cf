using Rpat.Engine.Distributed;
using Rpat.Robust;
using Rpat.Trainer.Training;

namespace Rpat.Trainer.Distributed;

/// <summary>
/// What the processes of a run do together between its steps: they agree on when to stop, start from the same state, and divide evaluations.
/// A run of one process has a team of its own, which costs nothing.
/// </summary>
/// <param name="team">The processes; null for one.</param>
/// <param name="stop">What signals ask of this process.</param>
/// <param name="description">Who the processes are, for people.</param>
internal sealed class RunTeam(Communicator? team, StopRequest stop, string? description = null)
{
    private int _agreed;

    /// <summary>Who the processes are, for people; null for one.</summary>
    public string? Description => description;

    /// <summary>Whether the run is to stop: what this process was asked, or in a team what all have agreed on.</summary>
    public bool IsStopping => team is null ? stop.IsRequested : _agreed != 0;

    /// <summary>The exit code that all have agreed on; 0 while the run continues.</summary>
    public int Code => team is null ? stop.Code : _agreed;

    /// <summary>
    /// Asks, before a step, whether the run is to stop. In a team a signal that any process got counts for all, from the same step on.
    /// </summary>
    public bool Stops()
    {
        if (team is not null) Agree(team);
        return IsStopping;
    }

    /// <summary>Gives all processes the state of rank 0: network, method, and where the run stands.</summary>
    public void ShareState(TrainingSetup setup, RunState state)
    {
        if (team is not null) SharedState.Send(team, setup, state);
    }

    /// <summary>Gives all processes the weights that rank 0 reports now.</summary>
    public void ShareReported(TrainingSetup setup)
    {
        if (team is not null) SharedState.SendReported(team, setup);
    }

    /// <summary>What rank 0 says, in all processes.</summary>
    public bool Share(bool said)
    {
        Span<bool> value = [said];
        team?.Broadcast(value);
        return value[0];
    }

    /// <summary>
    /// Measures a network on images of which each process takes a stretch; the counts are those of one process, since no image looks at
    /// another one.
    /// </summary>
    /// <param name="evaluator">Of the network.</param>
    /// <param name="images">All images.</param>
    /// <param name="attack">The attack, or null.</param>
    /// <param name="seed">Seed of its random starts.</param>
    /// <param name="progress">Told about how many images are done.</param>
    /// <param name="stops">Whether a stop that is asked for ends it.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public Accuracy Evaluate(Evaluator evaluator, LabeledImages images, PgdOptions? attack, ulong seed, Action<int>? progress = null, bool stops = false)
    {
        if (team is null) return evaluator.Run(images, attack, seed, done => Tell(done));
        var (first, count) = new BatchShare(team, images.Count).Of(team.Rank);
        int rounds = (new BatchShare(team, images.Count).Of(0).Count + evaluator.BatchSize - 1) / evaluator.BatchSize, correct = 0;
        for (int round = 0; round < rounds; round++)
        {
            int from = round * evaluator.BatchSize, length = Math.Min(evaluator.BatchSize, count - from);
            if (length > 0) correct += evaluator.Run(images, first + from, length, attack, seed).Correct;
            Agree(team);
            Tell(Math.Min(images.Count, (round + 1) * evaluator.BatchSize * team.Size));
        }
        double[] sum = [correct];
        team.AllReduce(sum);
        return new Accuracy((int)sum[0], images.Count);

        void Tell(int done)
        {
            if (stops && IsStopping) throw new OperationCanceledException();
            progress?.Invoke(done);
        }
    }

    private void Agree(Communicator all)
    {
        int[] mine = [stop.Code, stop.TakeSave() ? 1 : 0], everybody = new int[2 * all.Size];
        all.AllGather<int>(mine, everybody);
        bool saves = false;
        for (int rank = 0; rank < all.Size; rank++)
        {
            if (_agreed == 0) _agreed = everybody[2 * rank];
            saves |= everybody[2 * rank + 1] != 0;
        }
        if (all.Rank > 0) return;
        if (saves) stop.AskToSave();
        if (_agreed != 0 && !stop.IsRequested) stop.Ask(_agreed);
    }
}
