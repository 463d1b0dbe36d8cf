using Rpat.Engine;
using Rpat.Tests.Support;

namespace Rpat.Tests;

/// <summary>One op, one name: every kernel interface of the contract has its files under that name.</summary>
public sealed class MirrorTests
{
    public static TheoryData<string> Ops =>
        [.. typeof(IKernels).GetInterfaces().Select(contract => contract.Name["I".Length..^"Kernels".Length])];

    [Theory]
    [MemberData(nameof(Ops))]
    public void AnOpHasItsFiles(string op)
    {
        Assert.True(File.Exists(Repository.File("engine", "Rpat.Engine", "Devices", $"I{op}Kernels.cs")));
        Assert.True(File.Exists(Repository.File("engine", "Rpat.Engine", "Kernels", "Cpu", op + ".cs")));
        Assert.True(File.Exists(Repository.File("engine", "Rpat.Engine.Gpu", "Kernels", op + ".cs")), $"no GPU kernels of {op}");
        Assert.True(File.Exists(Repository.File("tests", "Rpat.Tests", "Ops", op + "Tests.cs")), $"no tests of {op}");
        Assert.True(File.Exists(Repository.File("benchmarks", "Rpat.Benchmarks", "Kernels", op + "Benchmarks.cs")), $"no benchmarks of {op}");
    }
}
