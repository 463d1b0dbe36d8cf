using Rpat.Tests.Cases;
using Rpat.Tests.Gpu.Ptx;
using Rpat.Tests.Trainer.Distributed;
using Rpat.Tests.Trainer.Training;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Rpat.Tests.Support.LongestFirst", "Rpat.Tests")]

namespace Rpat.Tests.Support;

/// <summary>Begins with the classes that take longest, so that none of them is left to run alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] _long =
    [
        typeof(GpuCaseTests), typeof(TeamProcessTests), typeof(PlantedFaultTests), typeof(CpuCaseTests), typeof(MethodResumeTests),
        typeof(KilledTrainingTests), typeof(KernelTextTests), typeof(MethodRunTests),
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderByDescending(collection => Array.FindLastIndex(_long,
            type => collection.DisplayName.EndsWith(type.FullName!, StringComparison.Ordinal)) is >= 0 and int at ? _long.Length - at : 0);
}
