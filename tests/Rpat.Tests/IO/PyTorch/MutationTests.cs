using Rpat.Tests.Support;

namespace Rpat.Tests.IO.PyTorch;

/// <summary>
/// Ten thousand damaged files of each format, from a seed: each either reads or gives a <see cref="CheckpointException"/>, none takes
/// more than a moment or more memory than a small multiple of the file.
/// </summary>
public class MutationTests
{
    private static readonly int _count = Mutants.Count(10_000);

    public static TheoryData<string> Files =>
        ["training.pt", "module_old.pt", "views_old.pt", "oldest.tar", "arrays.pkl", "net.npz", "net.safetensors", "net.npy"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Damaged_files_are_refused_or_read(string name)
    {
        using TempFolder folder = new();
        byte[] whole = Original(folder, name);
        string path = folder.File("mutant");
        System.Random random = new(name.Length);
        int refused = 0;
        for (int i = 0; i < _count; i++)
        {
            try
            {
                Checkpoints.ReadAll(path, Mutants.Of(whole, random));
            }
            catch (CheckpointException error)
            {
                refused++;
                AssertSentence(error.Message, path);
            }
        }
        Assert.InRange(refused, _count / 20, _count);
    }

    /// <summary>Parts of the library that read zips take some of their own: that is the constant.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Memory_stays_a_small_multiple_of_the_file(string name)
    {
        using TempFolder folder = new();
        byte[] whole = Original(folder, name);
        Assert.InRange(MostAllocated(folder.File("mutant"), whole, 500), 0, 24L * whole.Length + (512 << 10));
    }

    [Theory]
    [InlineData("large.npy")]
    [InlineData("large.safetensors")]
    [InlineData("large.pt")]
    public void Memory_of_large_files_is_that_of_their_tensors(string name)
    {
        using TempFolder folder = new();
        NamedArray[] arrays = [NamedArray.FromFloats("conv1.weight", new float[1 << 18], 64, 64, 64)];
        string path = folder.File(name);
        if (name.EndsWith(".pt", StringComparison.Ordinal)) TorchFile.Write(path, arrays);
        else if (name.EndsWith(".npy", StringComparison.Ordinal)) Npy.Write(path, arrays[0]);
        else Safetensors.Write(path, arrays);
        byte[] whole = File.ReadAllBytes(path);
        Assert.InRange(MostAllocated(folder.File("mutant"), whole, 60), 0, 4L * whole.Length);
    }

    private static long MostAllocated(string path, byte[] whole, int mutants)
    {
        System.Random random = new(5);
        long most = 0;
        for (int i = 0; i < mutants; i++)
        {
            byte[] mutant = Mutants.Of(whole, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Checkpoints.ReadAll(path, mutant);
            }
            catch (CheckpointException)
            {
            }
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return most;
    }

    private static byte[] Original(TempFolder folder, string name)
    {
        if (File.Exists(Checkpoints.PathOf(name))) return Checkpoints.Bytes(name);
        NamedArray[] arrays = [NamedArray.FromFloats("conv1.weight", new float[24], 2, 3, 4), NamedArray.FromInt64("count", [7])];
        string path = folder.File(name);
        if (name.EndsWith(".npz", StringComparison.Ordinal)) Npz.Write(path, arrays);
        else if (name.EndsWith(".npy", StringComparison.Ordinal)) Npy.Write(path, arrays[0]);
        else Safetensors.Write(path, arrays);
        return File.ReadAllBytes(path);
    }

    private static void AssertSentence(string message, string path)
    {
        Assert.Contains(path, message);
        Assert.EndsWith(".", message);
        Assert.DoesNotContain('\n', message);
    }
}
