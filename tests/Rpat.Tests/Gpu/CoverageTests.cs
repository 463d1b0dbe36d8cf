using System.Reflection;
using Rpat.Engine;

namespace Rpat.Tests.Gpu;

/// <summary>A kernel of the contract that no GPU test runs fails here.</summary>
public class CoverageTests
{
    [Fact]
    public void Every_kernel_of_the_contract_is_run_by_a_test()
    {
        var covered = typeof(CoverageTests).Assembly.GetTypes().SelectMany(t => t.GetCustomAttribute<CoversAttribute>()?.Kernels ?? []).ToHashSet();
        var contract = typeof(IKernels).GetInterfaces().SelectMany(i => i.GetMethods()).Select(m => m.Name).ToHashSet();
        Assert.Empty(contract.Except(covered));
        Assert.Empty(covered.Except(contract));
    }
}
