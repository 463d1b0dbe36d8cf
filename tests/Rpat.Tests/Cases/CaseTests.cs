using Rpat.Tests.Reference;

namespace Rpat.Tests.Cases;

/// <summary>What every op's cases promise.</summary>
public class CaseTests
{
    public static TheoryData<string> Ops => CpuCaseTests.Ops;

    /// <summary>A reference's gradients are those of its values.</summary>
    [Theory]
    [MemberData(nameof(Ops))]
    public void Gradients_match_differences(string op)
    {
        using var device = Device.Cpu(1);
        foreach (var group in OpCases.All.Single(one => one.Op == op).Ragged())
        {
            var make = new TestTensors(device);
            foreach (var one in group.Make(make))
                foreach (var gradient in one.Results.Select(result => result.Gradient).OfType<GradientOf>())
                    NumericalGradient.AssertGradient(
                        gradient.Loss, gradient.By.Data, gradient.Values().Data, Math.Max(1e-6, one.Tolerance.MaxError / 10),
                        maxEntries: 6);
            make.Free();
        }
    }

    /// <summary>Each op of the contract has cases under its name, and they run each of its kernels: as a
    /// variant, and at the layers' sizes.</summary>
    [Theory]
    [MemberData(nameof(Ops))]
    public void Every_kernel_is_run(string op)
    {
        var contract = typeof(IKernels).GetInterfaces().Single(one => one.Name == $"I{op}Kernels");
        using var device = Device.Cpu(1);
        foreach (bool every in new[] { true, false })
        {
            var make = new TestTensors(device);
            var covered = OpCases.All.Single(one => one.Op == op).Ragged(every).First().Make(make).SelectMany(one => one.Covers)
                .ToHashSet();
            Assert.Equal(contract.GetMethods().Select(method => method.Name).Order(), covered.Order());
        }
    }

    [Fact]
    public void Every_op_has_cases() => Assert.Equal(
        typeof(IKernels).GetInterfaces().Select(contract => contract.Name["I".Length..^"Kernels".Length]).Order(),
        OpCases.All.Select(op => op.Op).Order());

    [Fact]
    public void Kernels_that_are_timed_have_names_of_their_own_and_work_to_do()
    {
        using var device = Device.Cpu(1);
        HashSet<string> names = [];
        foreach (var group in OpCases.All.Select(op => op.Ragged(every: false).First()))
        {
            var make = new TestTensors(device);
            foreach (var one in group.Make(make)) Assert.True(names.Add(one.Name) && one.Bytes > 0, one.Name);
            make.Free();
        }
    }
}
