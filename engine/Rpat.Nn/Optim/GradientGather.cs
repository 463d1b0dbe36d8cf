namespace Rpat.Nn.Optim;

/// <summary>The mean gradient of several batches, accumulated one by one (gradient accumulation).</summary>
internal sealed class GradientGather(ParameterStore parameters, int batches)
{
    private const string Prefix = "gathered.", CountName = "counter.gathered";

    private readonly DeviceBuffer _sum = parameters.Device.Allocate(parameters.Values.Length);
    private int _count;

    /// <summary>What has been accumulated so far.</summary>
    public DeviceBuffer Sum => _sum;

    /// <summary>Adds a batch's gradient, weighted by 1/batches.</summary>
    /// <param name="last">Whether this is the last batch: the step then uses what has been accumulated.</param>
    /// <returns>Whether the parameters' gradients are now the mean.</returns>
    public bool Take(bool last)
    {
        parameters.Device.Kernels.Scale(parameters.Count, parameters.Gradients, 1f / batches, accumulate: _count > 0, _sum);
        if (++_count < batches && !last) return false;
        parameters.Device.Copy(_sum, parameters.Gradients);
        _count = 0;
        return true;
    }

    /// <summary>What must be saved when training stops between two batches of one step.</summary>
    public IEnumerable<NamedArray> State() => [.. parameters.Slice(_sum, Prefix), NamedArray.FromInt64(CountName, [_count], 1)];

    /// <summary>Loads what <see cref="State"/> returned.</summary>
    /// <exception cref="CheckpointException">It is missing.</exception>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        if (!state.TryGetValue(CountName, out var count))
            throw new CheckpointException($"The training state has no '{CountName}': it belongs to a run that gathers no gradients.");
        parameters.Fill(_sum, Prefix, state);
        _count = (int)count.ToInt64()[0];
    }
}
