namespace Rpat.Robust.Training;

/// <summary>Adds a network's gradients over the processes that share a batch, in one all-reduce, in rank order.</summary>
internal sealed class GradientSum(ParameterStore store)
{
    private readonly float[] _values = new float[store.Count];

    /// <summary>Replaces the gradients of this process's shard by those of the whole batch.</summary>
    public void Run(BatchShard share)
    {
        if (share.Count == 0) Array.Clear(_values); // the placeholder image of an empty shard does not count
        else store.Device.Download(store.Gradients, _values);
        share.Team.AllReduce(_values);
        store.Device.Upload(_values, store.Gradients);
    }
}
