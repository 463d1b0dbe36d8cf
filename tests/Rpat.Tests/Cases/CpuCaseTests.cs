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

    /// <summary>Told to compute one word more than there are, the kernel writes into the fence.</summary>
    [Fact]
    public void A_fence_sees_what_is_written_behind_a_tensor()
    {
        using var device = CpuSetup.Best.Open();
        var make = new TestTensors(device) { Fence = 16 };
        TestTensor x = make.Row(4), y = make.Row(4);
        device.Kernels.Scale(4, x, 2, false, y);
        Assert.Equal(0, make.Trampled());
        device.Kernels.Scale(5, x, 2, false, y);
        Assert.Equal((1, 0), (make.Trampled(), make.Trampled()));
    }

    /// <summary>
    /// Runs cases with each of some setups; the first one has one thread. The reference may have a part of a large result: the rest is
    /// that of the first setup, which computes it with other tiles.
    /// </summary>
    internal static void Check(CaseGroup group, IEnumerable<CpuSetup> setups)
    {
        (CpuSetup Setup, Device Device)[] devices = [.. setups.Select(setup => (setup, setup.Open()))];
        Check(group, devices);
        foreach (var (_, device) in devices) device.Dispose();
    }

    private static void Check(CaseGroup group, (CpuSetup Setup, Device Device)[] devices)
    {
        Array4[]? expected = null, first = null, before = null;
        foreach (var (setup, device) in devices)
        {
            var make = new TestTensors(device) { Fence = 256 };
            List<Array4> left = [], reference = []; // left: whole results
            foreach (var one in group.Make(make))
            {
                one.Run(device.Kernels);
                Assert.True(make.Trampled() == 0, $"{one.Name} at {group}, {setup}: writes before or behind a tensor");
                foreach (var result in one.Results)
                {
                    if (expected is null) reference.Add(result.Expected());
                    int i = left.Count;
                    left.Add(make.Actual(result with { Part = null }));
                    string what = $"{one.Name}, result {i} at {group}, {setup}";
                    AssertPaddingIsZero(device, result.Target, what);
                    OpGraph.AssertClose((expected ?? [.. reference])[i], result.Part?.Invoke(left[i]) ?? left[i], Allowed(one, setup), what);
                    if (setup.Threads > 1) Assert.True(OpGraph.SameBits(before![i], left[i]), $"{what}: other bits than on one thread");
                    else if (result.Part is not null && first is not null)
                        OpGraph.AssertClose(first[i], left[i], Either(one, devices[0].Setup, setup), $"{what}, against {devices[0].Setup}");
                }
            }
            make.Free();
            expected ??= [.. reference];
            before = [.. left];
            first ??= before;
        }
    }

    // Activations are [N][⌈C/16⌉][H][W][16]; of the rest, only vectors of channels are padded.
    private static void AssertPaddingIsZero(Device device, TestTensor target, string what)
    {
        var stored = new float[target.Buffer.Length];
        device.Download(target, stored);
        var (c, map) = (target.Shape.C, target.Shape.H * target.Shape.W);
        int Channel(int i) => i / (16 * map) % ((c + 15) / 16) * 16 + i % 16;
        foreach (var (i, number) in stored.Index())
            if (number != 0)
                Assert.True(target.Layout == Layout.Blocked ? Channel(i) < c : i < target.Shape.Count, $"{what}: {number} in the padding");
    }

    /// <summary>What two setups may differ by.</summary>
    private static Tolerance Either(KernelCase one, CpuSetup a, CpuSetup b)
    {
        var (x, y) = (Allowed(one, a), Allowed(one, b));
        return new(x.MaxError + y.MaxError, 2 * (x.Nmse + y.Nmse), x.Least);
    }

    /// <summary>Winograd's transforms may cost one decimal of the squared error.</summary>
    private static Tolerance Allowed(KernelCase one, CpuSetup setup) =>
        one.Flops > 0 && setup.Convolution != ConvolutionAlgorithm.Direct ? one.Tolerance with { Nmse = 1e-10 } : one.Tolerance;
}
