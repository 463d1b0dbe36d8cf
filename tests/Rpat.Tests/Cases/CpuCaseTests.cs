using Rpat.Tests.Ops;

namespace Rpat.Tests.Cases;

/// <summary>Every case on the CPU: all instruction sets and algorithms, and numbers of threads, which must not change a bit.</summary>
public class CpuCaseTests
{
    public static TheoryData<string> Ops => [.. OpCases.All.Select(op => op.Op)];

    /// <summary>Kernels that have one implementation.</summary>
    private static readonly CpuSetup[] _threads = [CpuSetup.Best, CpuSetup.Best with { Threads = 2 }, CpuSetup.Best with { Threads = 3 }];

    [Theory]
    [MemberData(nameof(Ops))]
    public void Leaves_what_the_reference_says(string op)
    {
        var cases = OpCases.All.Single(one => one.Op == op);
        (CpuSetup Setup, Device Device)[] devices = [.. (op == "Conv2d" ? CpuSetup.All : _threads).Select(setup => (setup, setup.Open()))];
        Device[] opened = [.. devices.Select(one => one.Device)];
        foreach (var group in cases.Ragged()) Check(group, devices);
        if (op == "Conv2d") devices = [.. devices.Where(one => CpuSetup.Most.Contains(one.Setup))];
        foreach (var group in cases.Wider()) Check(group, devices);
        foreach (var device in opened) device.Dispose();
    }

    /// <summary>Runs cases with each of some setups; the first one is checked against the reference and has one thread.</summary>
    internal static void Check(CaseGroup group, IEnumerable<CpuSetup> setups)
    {
        (CpuSetup Setup, Device Device)[] devices = [.. setups.Select(setup => (setup, setup.Open()))];
        Check(group, devices);
        foreach (var (_, device) in devices) device.Dispose();
    }

    private static void Check(CaseGroup group, (CpuSetup Setup, Device Device)[] devices)
    {
        Array4[]? expected = null, before = null;
        foreach (var (setup, device) in devices)
        {
            var make = new TestTensors(device);
            List<Array4> left = [], reference = [];
            foreach (var one in group.Make(make))
            {
                one.Run(device.Kernels);
                foreach (var result in one.Results)
                {
                    if (expected is null) reference.Add(result.Expected());
                    left.Add(make.Actual(result));
                    string what = $"{one.Name}, result {left.Count - 1} at {group}, {setup}";
                    OpGraph.AssertClose((expected ?? [.. reference])[left.Count - 1], left[^1], Allowed(one, setup), what);
                    if (setup.Threads > 1)
                        Assert.True(OpGraph.SameBits(before![left.Count - 1], left[^1]), $"{what}: other bits than on one thread");
                }
            }
            make.Free();
            expected ??= [.. reference];
            before = [.. left];
        }
    }

    /// <summary>Winograd's transforms may cost one decimal of the squared error.</summary>
    private static Tolerance Allowed(KernelCase one, CpuSetup setup) =>
        one.Flops > 0 && setup.Convolution != ConvolutionAlgorithm.Direct ? one.Tolerance with { Nmse = 1e-10 } : one.Tolerance;
}
