namespace Rpat.Nn.Optim;

/// <summary>Buffers with one value per parameter, such as moments, as the arrays of a training state.</summary>
public static class ParameterArrays
{
    extension(ParameterStore store)
    {
        /// <summary>A buffer with the layout of <see cref="ParameterStore.Values"/>, as one array per parameter.</summary>
        public IEnumerable<NamedArray> Slice(DeviceBuffer buffer, string prefix)
        {
            var values = new float[store.Count];
            store.Device.Download(buffer, values);
            int offset = 0;
            foreach (var p in store.Parameters)
            {
                yield return NamedArray.FromFloats(prefix + p.Name, values.AsSpan(offset, (int)p.Shape.Count), Sizes(p));
                offset += (int)p.Shape.Count;
            }
        }

        /// <summary>Fills a buffer from arrays that <see cref="Slice"/> returned.</summary>
        /// <exception cref="CheckpointException">An array is missing or of another size; the buffer is unchanged.</exception>
        public void Fill(DeviceBuffer buffer, string prefix, IReadOnlyDictionary<string, NamedArray> state)
        {
            var values = new float[store.Count];
            int offset = 0;
            foreach (var p in store.Parameters)
            {
                Required(state, prefix + p.Name, Sizes(p)).CopyTo(values, offset);
                offset += (int)p.Shape.Count;
            }
            store.Device.Upload(values, buffer);
        }
    }

    private static long[] Sizes(Parameter p) => [.. p.Dimensions.Select(d => (long)d)];

    private static float[] Required(IReadOnlyDictionary<string, NamedArray> state, string name, long[] sizes)
    {
        if (!state.TryGetValue(name, out var array))
            throw new CheckpointException($"The training state has no '{name}': it belongs to another run.");
        return array.Shape.SequenceEqual(sizes)
            ? array.ToFloats()
            : throw new CheckpointException(
                $"'{name}' of the training state has another size than the network: it belongs to another run.");
    }
}
