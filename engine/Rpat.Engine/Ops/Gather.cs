namespace Rpat.Engine;

/// <summary>
/// Copies of rows by number: a batch that shrinks keeps the rows that still matter, and results go back to the rows they belong to.
/// </summary>
public interface IGatherKernels
{
    /// <summary>destination[to[i]] = source[from[i]], rows of <paramref name="rowLength"/> words.</summary>
    /// <param name="rowLength">Words of a row.</param>
    /// <param name="source">Rows.</param>
    /// <param name="from">Numbers of rows in the source.</param>
    /// <param name="destination">Other rows, in other memory.</param>
    /// <param name="to">Numbers of rows in the destination, as many as <paramref name="from"/>, each once; none means 0, 1, 2, ….</param>
    void GatherRows(int rowLength, DeviceBuffer source, ReadOnlySpan<int> from, DeviceBuffer destination, ReadOnlySpan<int> to);
}

/// <summary>Copies of samples between plain tensors.</summary>
public static class GatherOp
{
    /// <summary>Fills this batch with samples of another one.</summary>
    /// <param name="batch">Plain, as many samples as there are numbers.</param>
    /// <param name="source">Plain, samples of the same size.</param>
    /// <param name="samples">Numbers in the source.</param>
    /// <exception cref="ShapeException">The sizes do not fit, or a sample is not there.</exception>
    public static void CopySamples(this Tensor batch, Tensor source, ReadOnlySpan<int> samples)
    {
        if (batch.Shape.N != samples.Length) throw new ShapeException("Gather", $"{batch} does not hold {samples.Length} samples");
        Copy(batch, source, samples, []);
    }

    /// <summary>Replaces samples of this batch by those of another one with the same numbers.</summary>
    /// <inheritdoc cref="CopySamples"/>
    public static void ReplaceSamples(this Tensor batch, Tensor source, ReadOnlySpan<int> samples)
    {
        Check(batch, batch, samples);
        Copy(batch, source, samples, samples);
    }

    private static void Copy(Tensor batch, Tensor source, ReadOnlySpan<int> from, ReadOnlySpan<int> to)
    {
        Check(batch, source, from);
        if (from.Length > 0) batch.Device.Kernels.GatherRows(batch.Shape.SampleCount, source.Data, from, batch.Data, to);
    }

    private static void Check(Tensor batch, Tensor source, ReadOnlySpan<int> samples)
    {
        bool fits = batch.Shape.WithBatch(1) == source.Shape.WithBatch(1) && batch.Layout == Layout.Plain && source.Layout == Layout.Plain;
        if (!fits) throw new ShapeException("Gather", $"{batch} cannot take samples of {source}: both must be plain, and samples of one size");
        foreach (int sample in samples)
            if ((uint)sample >= (uint)source.Shape.N) throw new ShapeException("Gather", $"{source} has no sample {sample}");
    }
}
