namespace Rpat.Training.Weights;

/// <summary>Writes networks in the format that a file's extension selects.</summary>
internal static class NetworkWriter
{
    private static readonly string[] _extensions = [".safetensors", ".pt", ".pth", ".npz", ".onnx"];

    /// <summary>Writes a network as one step.</summary>
    /// <param name="path">The file; its extension chooses the format.</param>
    /// <exception cref="UsageException">No format has that extension, or the network has an op that ONNX export does not know.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Classifier net, ModelSpec spec)
    {
        switch (Extension(path))
        {
            case ".safetensors": Safetensors.Write(path, net.State(), ModelMetadata.Write(spec), digest: true); break;
            case ".pt" or ".pth": TorchFile.Write(path, net.State()); break;
            case ".npz": Npz.Write(path, [.. net.State()], compress: false); break;
            default: WriteOnnx(path, net, spec); break;
        }
    }

    private static void WriteOnnx(string path, Classifier net, ModelSpec spec)
    {
        try
        {
            OnnxFile.Write(path, net, ModelMetadata.Write(spec));
        }
        catch (NotSupportedException error)
        {
            throw new UsageException($"{spec.Name} cannot be written as .onnx ({error.Message.TrimEnd('.')}): choose .safetensors, .pt or "
                + ".npz.", error);
        }
    }

    /// <summary>Fails before any work is done if the file could not be written in the end.</summary>
    /// <exception cref="UsageException">No format has that extension.</exception>
    public static string Extension(string path)
    {
        string extension = Path.GetExtension(path).ToLowerInvariant();
        return _extensions.Contains(extension) ? extension
            : throw new UsageException($"'{path}' has no known extension: choose one of {string.Join(", ", _extensions)}.");
    }
}
