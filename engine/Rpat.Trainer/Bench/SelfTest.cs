using Rpat.Trainer.Bench.Kernels;

namespace Rpat.Trainer.Bench;

/// <summary>One kernel's result on a device.</summary>
/// <param name="Name">Kernel and size.</param>
/// <param name="Covers">Methods of the kernel contract that it tests.</param>
/// <param name="Error">Largest difference from a double-precision reference over the largest value, at sampled places.</param>
/// <param name="Milliseconds">Time of one launch, the mean of many queued one behind the other.</param>
/// <param name="Gigaflops">Billions of operations a second; 0 where memory is what counts.</param>
/// <param name="Gigabytes">Billions of bytes per second that must at least move.</param>
internal sealed record SelfTestLine(
    string Name, IReadOnlyList<string> Covers, double Error, double Milliseconds, double Gigaflops, double Gigabytes)
{
    /// <summary>Whether it multiplies as the device's precision says.</summary>
    public bool IsConvolution { get; init; }

    /// <summary>What rounding of factors explains in a convolution, and of sums elsewhere.</summary>
    /// <param name="precision">How the device's convolutions multiply.</param>
    public double Allowed(string precision) => (IsConvolution, precision) switch
    {
        (true, "bf16") => 2e-2,
        (true, "tf32") => 3e-3,
        _ => 1e-4,
    };
}

/// <summary>
/// Runs every kernel of the contract on a device, most at the sizes of PreActResNet-18's layers, compares the results with what the
/// op's definition gives in double precision, and times them. The definition is evaluated at sampled places, so that large sizes can be
/// tested anywhere: the first place, the last, and random ones.
/// </summary>
/// <param name="device">What is tested; the caller disposes of it.</param>
/// <param name="sizes">Sizes.</param>
/// <param name="time">How long each kernel is timed.</param>
internal sealed class SelfTest(Device device, KernelSizes sizes, TimeSpan time)
{
    private const int Places = 64;

    /// <summary>Tests and times kernel after kernel.</summary>
    public IEnumerable<SelfTestLine> Run()
    {
        var make = new Givens(device);
        foreach (var group in KernelCases.Groups(sizes))
        {
            foreach (var one in group(make)) yield return Test(make, one);
            make.Free();
        }
    }

    /// <summary>Runs once and compares, and only then runs for the clock.</summary>
    private SelfTestLine Test(Givens make, KernelCase one)
    {
        one.Run(device.Kernels);
        double error = Error(one, make.Read(one.Result));
        double seconds = Seconds(() => one.Run(device.Kernels));
        return new SelfTestLine(one.Name, one.Covers, error, 1e3 * seconds, one.Flops / seconds / 1e9, one.Bytes / seconds / 1e9) { IsConvolution = one.Flops > 0 };
    }

    private double Seconds(Action run) =>
        time == TimeSpan.Zero ? double.PositiveInfinity : new KernelClock(device, time).Seconds(run, rounds: 1)[0];

    /// <summary>max |a − b| / max |b|; what is no number is an infinite error.</summary>
    private static double Error(KernelCase one, float[] actual)
    {
        double largest = 1e-30, difference = 0;
        foreach (int i in Sample(actual.Length))
        {
            double expected = one.Reference(Kernels.Place.Of(one.Result.Shape, i));
            if (!float.IsFinite(actual[i])) return double.PositiveInfinity;
            largest = Math.Max(largest, Math.Abs(expected));
            difference = Math.Max(difference, Math.Abs(expected - actual[i]));
        }
        return difference / largest;
    }

    private static IEnumerable<int> Sample(int count)
    {
        if (count <= Places) return Enumerable.Range(0, count);
        var random = new Random(count);
        return Enumerable.Range(0, Places - 2).Select(_ => random.Next(count)).Append(0).Append(count - 1);
    }
}
