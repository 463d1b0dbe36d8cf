namespace Rpat.Formats.Arrays;

/// <summary>
/// The safetensors format: an 8-byte header length, a JSON header with dtype, shape and data_offsets per tensor, then all
/// tensors back to back. Reading refuses every file that the reference library refuses.
/// </summary>
public static class Safetensors
{
    /// <summary>Opens a file of any length and checks its whole header, but reads no tensor yet.</summary>
    /// <returns>The open file; dispose it when its tensors are loaded.</returns>
    /// <exception cref="CheckpointException">The file is missing, truncated or damaged.</exception>
    public static SafetensorsFile Read(string path)
    {
        FileReader reader = FileReader.Open(path, (message, cause) => new CheckpointException(message, cause));
        try
        {
            return new SafetensorsFile(reader, SafetensorsHeader.Read(reader));
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes a file atomically (<see cref="AtomicFile"/>). The same input gives the same bytes, whatever the order of the tensors.
    /// Memory with two names is stored once, under the ordinally first name; the other name is recorded in the metadata.
    /// </summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">The tensors; names must differ.</param>
    /// <param name="metadata">Free text by name; <c>format</c> is always set to <c>pt</c>, which Python loaders look for.</param>
    /// <param name="digest">Whether the metadata also hold the SHA-256 of the file (<see cref="SafetensorsFile.CheckDigest"/>).</param>
    /// <exception cref="ArgumentException">A name occurs twice or is <c>__metadata__</c>.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedArray> tensors, IReadOnlyDictionary<string, string>? metadata = null,
        bool digest = false)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var plan = new SafetensorsPlan(tensors, metadata, digest);
        AtomicFile.Write(path, plan.WriteTo);
    }
}
