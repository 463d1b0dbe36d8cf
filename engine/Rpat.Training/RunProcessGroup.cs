namespace Rpat.Training;

/// <summary>
/// What the processes of a run do together between its steps: they agree on when to stop, start from the same state, and divide
/// evaluations. A run of one process has its own group, which costs nothing.
/// </summary>
internal sealed class RunProcessGroup
{
    private int _agreed;
    private volatile bool _isLeaving;

    /// <summary>Makes the group.</summary>
    /// <param name="group">The processes; null for one.</param>
    /// <param name="stop">The signals' requests to this process; null for none.</param>
    /// <param name="description">A description of the processes, for people; null for one.</param>
    public RunProcessGroup(IProcessGroup? group = null, StopRequest? stop = null, string? description = null)
    {
        (Group, Stop, Description) = (group, stop ?? new StopRequest(), description);
        string what = IsFirst ? "it had saved" : "its step had ended";
        if (group is not null)
            Stop.Leaving = code =>
            {
                _isLeaving = true;
                group.Fail(code, FormattableString.Invariant($"rank {group.Rank} was stopped before {what}"));
            };
        // It notices when it next waits for the lost rank, unless it computes for long.
        if (group is BackgroundProcessGroup ranks) ranks.Lost += lost => Stop.LeaveAfter(LossPatience, ErrorReport.Of(lost).Code);
    }

    /// <summary>How long this process may still compute when a rank is lost.</summary>
    public TimeSpan LossPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The processes; null for one.</summary>
    public IProcessGroup? Group { get; }

    /// <summary>The signals' requests to this process.</summary>
    public StopRequest Stop { get; }

    /// <summary>A description of the processes, for people; null for one.</summary>
    public string? Description { get; }

    /// <summary>Whether this process writes and shows the run's output.</summary>
    public bool IsFirst => Group is null or { Rank: 0 };

    /// <summary>Whether the run is to stop: this process's own request, or in a group the common decision.</summary>
    public bool IsStopping => Group is null ? Stop.IsRequested : _agreed != 0;

    /// <summary>The exit code that all have agreed on; 0 while the run continues.</summary>
    public int Code => Group is null ? Stop.Code : _agreed;

    /// <summary>The group for training on a device; with <c>run.transport=nccl</c> it adds gradients
    /// there, and the caller disposes of it.</summary>
    /// <exception cref="ConfigException">NCCL is wanted for what is no NVIDIA GPU.</exception>
    /// <exception cref="HandshakeException">This machine has no NCCL.</exception>
    public IProcessGroup? For(Device device, TrainerConfig config)
    {
        if (Group is not BackgroundProcessGroup host || config.Run.Transport != TransportKind.Nccl) return Group;
        var stream = (device as GpuDevice)?.OpenSideStream() ?? throw new ConfigException(
            $"run.transport is nccl, which adds gradients on NVIDIA GPUs, and this rank computes on {device.Name}: choose another.");
        return new NcclProcessGroup(host, NcclLibrary.Load(), device, new NcclGpu(stream), config.Run.Reduce == ReduceKind.Ordered);
    }

    /// <summary>
    /// Asks, before a step, whether the run is to stop. In a group a signal to any process counts for all, from the same step on.
    /// </summary>
    public bool Stops()
    {
        if (Group is not null) Agree(Group);
        return IsStopping;
    }

    /// <summary>Runs something whose failure ends the run of all processes.</summary>
    public T ForAll<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception) when (_isLeaving)
        {
            Thread.Sleep(LossPatience); // another thread is ending the process: what fails by that is no error to report
            throw;
        }
        catch (Exception error) when (Group is not null && error is not PeerLostException)
        {
            var report = ErrorReport.Of(error);
            Group.Fail(report.Code, report.Sentence);
            throw;
        }
    }

    /// <summary>Gives all processes the state of rank 0: network, method, and trainer state.</summary>
    public void ShareState(Run run)
    {
        if (Group is not null) SharedState.Send(Group, run);
    }

    /// <summary>Gives all processes the weights that rank 0 reports now.</summary>
    public void ShareReported(Run run)
    {
        if (Group is not null) SharedState.SendReported(Group, run);
    }

    /// <summary>Rank 0's value, in all processes.</summary>
    public bool Broadcast(bool said)
    {
        Span<bool> value = [said];
        Group?.Broadcast(value);
        return value[0];
    }

    /// <summary>Waits until rank 0 has written what it writes: some launchers end it as soon as another rank has ended.</summary>
    public void WaitForFirst() => Broadcast(true);

    /// <summary>
    /// Measures a network on images, of which each process takes a range; the counts are those of one process, since no image depends on
    /// another one.
    /// </summary>
    /// <param name="attacks">The attacks, or null.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public Accuracy Evaluate(Evaluator evaluator, LabeledImages images, AttackSuite? attacks, ulong seed, Action<int>? progress = null)
    {
        if (Group is not { } team) return evaluator.Run(images, attacks, seed, done => Tell(done));
        var (first, count) = new BatchShard(team, images.Count).ShardOf(team.Rank);
        int rounds = (new BatchShard(team, images.Count).ShardOf(0).Count + evaluator.BatchSize - 1) / evaluator.BatchSize, correct = 0;
        for (int round = 0; round < rounds; round++)
        {
            int from = round * evaluator.BatchSize, length = Math.Min(evaluator.BatchSize, count - from);
            if (length > 0) correct += evaluator.Run(images, first + from, length, attacks, seed).Correct;
            Agree(team);
            Tell(Math.Min(images.Count, (round + 1) * evaluator.BatchSize * team.Size));
        }
        double[] sum = [correct];
        team.AllReduce(sum);
        return new Accuracy((int)sum[0], images.Count);

        void Tell(int done)
        {
            if (IsStopping) throw new OperationCanceledException();
            progress?.Invoke(done);
        }
    }

    private void Agree(IProcessGroup all)
    {
        int[] mine = [Stop.Code, Stop.ConsumeSaveRequest() ? 1 : 0], everybody = new int[2 * all.Size];
        all.AllGather<int>(mine, everybody);
        bool saves = false;
        for (int rank = 0; rank < all.Size; rank++)
        {
            if (_agreed == 0) _agreed = everybody[2 * rank];
            saves |= everybody[2 * rank + 1] != 0;
        }
        if (all.Rank > 0) return;
        if (saves) Stop.AskToSave();
        if (_agreed != 0) Stop.Follow(_agreed);
    }
}

/// <summary>The state of a run on its way from rank 0 to the others: what a checkpoint holds, without a file.</summary>
internal static class SharedState
{
    /// <summary>Brings every process to rank 0's state; all must call it.</summary>
    /// <exception cref="DataException">A process has other images or teachers than rank 0.</exception>
    public static void Send(IProcessGroup team, Run run)
    {
        var standing = run.State.Standing(planned: false, run.Identity, new Dictionary<string, long>());
        var said = JsonSerializer.Deserialize<TrainerState>(
            team.BroadcastBytes(JsonSerializer.SerializeToUtf8Bytes(standing, Checkpoint.Format)), Checkpoint.Format)!;
        if (team.Rank > 0 && run.Identity.Difference(said.Identity) is { } other)
            throw new DataException($"the {other} are not those of rank 0: give all processes the same files.");
        var net = Send(team, [.. run.Net.State()]);
        var rest = Send(team, [.. run.Step.State()]);
        if (team.Rank == 0) return;
        run.Net.Load(net);
        run.Step.LoadState(rest);
        run.State.Take(said);
    }

    /// <summary>Gives every process the reported network of rank 0; all must call it.</summary>
    public static void SendReported(IProcessGroup team, Run run)
    {
        var net = Send(team, [.. run.Reported.State()]);
        if (team.Rank > 0) run.Reported.Load(net);
    }

    private static Dictionary<string, NamedArray> Send(IProcessGroup team, IReadOnlyList<NamedArray> arrays)
    {
        byte[] heads = JsonSerializer.SerializeToUtf8Bytes(arrays.Select(a => new Head(a.Name, a.Type, a.Shape)));
        var given = new Dictionary<string, NamedArray>();
        foreach (var (index, head) in JsonSerializer.Deserialize<Head[]>(team.BroadcastBytes(heads))!.Index())
            given[head.Name] = new NamedArray(head.Name, head.Type, head.Shape,
                team.BroadcastBytes(team.Rank == 0 ? arrays[index].Data.ToArray() : []));
        return given;
    }

    private sealed record Head(string Name, ElementType Type, long[] Shape);
}
