namespace Rpat.Formats.PyTorch;

/// <summary>Copies the elements of a tensor out of its storage, row-major.</summary>
internal static class TensorReader
{
    /// <summary>Reads a tensor.</summary>
    /// <exception cref="CheckpointException">The storage is too short, or the tensor exceeds 2 GiB.</exception>
    public static NamedArray Read(TorchArchive archive, string name, TensorRef tensor)
    {
        if (tensor.Bytes == 0) return new NamedArray(name, tensor.Type, tensor.Shape, Array.Empty<byte>());
        int size = tensor.Type.Size();
        Int128 start = ((Int128)tensor.Storage.Start + tensor.Offset) * size, length = (Int128)tensor.Extent * size;
        if (start + length > long.MaxValue || length > Array.MaxLength || tensor.Bytes > Array.MaxLength)
            throw archive.Fail($"tensor '{name}' has {tensor.Bytes} bytes, more than one array holds");
        byte[] window = archive.Read(tensor.Storage.Key, (long)start, (long)length);
        return new NamedArray(name, tensor.Type, tensor.Shape, tensor.IsRowMajor ? window : Gather(window, tensor, size));
    }

    // Walks the output in order; the odometer keeps the matching position in the storage. For transposed, sliced and expanded tensors.
    private static byte[] Gather(byte[] window, TensorRef tensor, int size)
    {
        byte[] result = new byte[tensor.Bytes];
        var index = new long[tensor.Shape.Length];
        long from = 0;
        for (int to = 0; to < result.Length; to += size)
        {
            window.AsSpan((int)(from * size), size).CopyTo(result.AsSpan(to));
            from = Npy.Advance(index, tensor.Shape, tensor.Strides, from);
        }
        return result;
    }
}
