using System.Text.Json;

namespace Rpat.Training;

/// <summary>The state of a run on its way from rank 0 to the others: what a checkpoint holds, without a file.</summary>
internal static class SharedState
{
    /// <summary>Puts every process where rank 0 stands; all must call it.</summary>
    /// <exception cref="DataException">A process has other training images than rank 0.</exception>
    public static void Send(Communicator team, Run run)
    {
        var standing = run.State.Standing(planned: false, run.Identity, new Dictionary<string, long>());
        var said = JsonSerializer.Deserialize<Standing>(team.BroadcastBytes(JsonSerializer.SerializeToUtf8Bytes(standing, Checkpoint.Format)), Checkpoint.Format)!;
        if (team.Rank > 0 && said.Identity.Data != run.Identity.Data)
            throw new DataException("the training images are not those of rank 0: give all processes the same files (--data-dir).");
        var net = Send(team, [.. run.Net.State()]);
        var rest = Send(team, [.. run.Step.State()]);
        if (team.Rank == 0) return;
        run.Net.Load(net);
        run.Step.LoadState(rest);
        run.State.Take(said);
    }

    /// <summary>Gives every process the reported network of rank 0; all must call it.</summary>
    public static void SendReported(Communicator team, Run run)
    {
        var net = Send(team, [.. run.Reported.State()]);
        if (team.Rank > 0) run.Reported.Load(net);
    }

    private static Dictionary<string, NamedArray> Send(Communicator team, IReadOnlyList<NamedArray> arrays)
    {
        byte[] heads = JsonSerializer.SerializeToUtf8Bytes(arrays.Select(a => new Head(a.Name, a.Type, a.Shape)));
        var given = new Dictionary<string, NamedArray>();
        foreach (var (index, head) in JsonSerializer.Deserialize<Head[]>(team.BroadcastBytes(heads))!.Index())
            given[head.Name] = new NamedArray(head.Name, head.Type, head.Shape, team.BroadcastBytes(team.Rank == 0 ? arrays[index].Data.ToArray() : []));
        return given;
    }

    private sealed record Head(string Name, ElementType Type, long[] Shape);
}
