namespace Rpat.Formats.PyTorch;

/// <summary>A pickle that Python wrote without PyTorch: it may have numpy arrays but no storages.</summary>
internal sealed class BarePickle : TorchArchive
{
    /// <summary>Reads a file that begins as a pickle of protocol 2 or later does.</summary>
    /// <param name="data">Whether it may take one step per byte, as a list of pixels does.</param>
    /// <exception cref="CheckpointException">It is damaged.</exception>
    public BarePickle(FileReader file, bool data = false) : base(file.Path, "Python pickle", file.Length)
    {
        using (file)
        {
            using var stream = RegularFile.Open(file.Path);
            long maxWork = data ? Math.Max(file.Length, PickleMachine.MaxWork) : PickleMachine.MaxWork;
            Root = Unpickle(new PickleSource(stream, file.Length, Fail), NoPersistent, maxWork);
        }
    }

    /// <summary>Whether a file begins as a pickle does.</summary>
    public static bool Matches(ReadOnlySpan<byte> start) => start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5;

    public override byte[] Read(string key, long start, long count) => throw Fail($"storage '{key}' is missing");

    public override void Dispose()
    {
    }
}
