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
        return new NamedArray(name, tensor.Type, tensor.Shape, tensor.IsRowMajor ? window
            : Npy.Gather(window, tensor.Shape, tensor.Strides, size));
    }
}
