using System.Reflection;
using Rpat.Models;
using Rpat.Tests.Support;

namespace Rpat.Tests;

/// <summary>What each library offers to others is written down; who changes it approves the change.</summary>
public sealed class PublicSurfaceTests
{
    private const string Approve = "RPAT_APPROVE";

    private static readonly Assembly[] _libraries =
    [
        typeof(Tape).Assembly, typeof(Classifier).Assembly, typeof(GpuBackend).Assembly, typeof(LabeledImages).Assembly,
        typeof(TcpProcessGroup).Assembly,
        typeof(Objective).Assembly,
        typeof(ModelCatalog).Assembly, typeof(Rpat.Training.TrainingJob).Assembly,
    ];

    public static TheoryData<string> Libraries => [.. _libraries.Select(assembly => assembly.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void ALibraryOffersWhatIsWrittenDown(string library)
    {
        string path = Repository.File("docs", "public-api", library + ".txt");
        string[] now = [.. PublicSurface.Of(_libraries.Single(assembly => assembly.GetName().Name == library))];
        if (Environment.GetEnvironmentVariable(Approve) == "1") File.WriteAllLines(path, now);
        string[] written = File.Exists(path) ? File.ReadAllLines(path) : [];
        string[] changes = [.. written.Except(now).Select(line => "- " + line), .. now.Except(written).Select(line => "+ " + line)];
        Assert.True(changes.Length == 0,
            $"The public surface of {library} changed; look at it, then approve it by running this test with "
                + $"{Approve}=1:\n{string.Join('\n', changes)}");
    }

    /// <summary>The surface as text of a type that has one member of each kind.</summary>
    [Fact]
    public void EveryKindOfMemberIsWrittenDown()
    {
        string[] lines = [.. PublicSurface.Of(typeof(Tape).Assembly)];
        Assert.Contains("Rpat.Engine.Autograd.Tape : sealed class", lines);
        Assert.Contains("Rpat.Engine.Autograd.Tape.Record<T>(T node) : T", lines);
        Assert.Contains("Rpat.Engine.Autograd.Tape.Shard { get init } : Rpat.Engine.Distributed.BatchShard", lines);
        Assert.Contains("Rpat.Engine.Autograd.Node.Forward(Rpat.Engine.Devices.IKernels kernels) : Void abstract", lines);
        Assert.Contains("Rpat.Engine.Autograd.Reduction.Sum : Rpat.Engine.Autograd.Reduction", lines);
        Assert.Contains("Rpat.Engine.Devices.Device.Noted : event Action<String>", lines);
        Assert.Contains("Rpat.Engine.Autograd.LossTerm.PartWeight(Int32 part) : Single protected virtual", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("Rpat.Engine.Autograd.MemoryPlan", StringComparison.Ordinal));
    }
}
