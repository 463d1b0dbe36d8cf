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

    /// <summary>
    /// The options with which 'rpat eval' sees images as a network does; empty if its file says so itself, as those of this program and
    /// ONNX files do.
    /// </summary>
    public static IReadOnlyList<string> Options(string path, ModelSpec spec)
    {
        if (SaysItself(path)) return [];
        if (spec.StandardizesImages) return ["--standardize"];
        if (spec.Normalization is { } n) return ["--mean", Text(n.Mean), "--std", Text(n.Std)];
        // Without a word such a network would be read with the normalisation of the published ones.
        return ModelCatalog.Find(spec.Name)?.UnsavedNormalization(spec.Classes) is { } usual && usual.Mean.Count == spec.Input.C
            ? ["--mean", "0", "--std", "1"] : [];

        static string Text(IReadOnlyList<float> values) =>
            string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
    }

    /// <summary>What a file that holds arrays alone does not say of a network, in words; mostly nothing.</summary>
    public static IEnumerable<string> LeftOut(string path, ModelSpec spec)
    {
        if (Options(path, spec) is { Count: > 0 } options)
            yield return $"{Extension(path)} files do not say how images are normalised: read it with {string.Join(' ', options)}";
        int usual = ModelCatalog.Find(spec.Name)?.Complete(new ModelSpec(spec.Name, spec.Input, spec.Classes)).StemStride ?? spec.StemStride;
        if (!SaysItself(path) && spec.StemStride != usual)
            yield return FormattableString.Invariant(
                $"{Extension(path)} files do not say that the stem's stride is {spec.StemStride}, where {usual} is usual: keep a .safetensors file");
    }

    private static bool SaysItself(string path) => Extension(path) is ".safetensors" or ".onnx";

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
