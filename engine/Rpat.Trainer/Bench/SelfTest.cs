namespace Rpat.Trainer.Bench;

/// <summary>One kernel's result on a device.</summary>
/// <param name="Error">Largest difference from a double-precision reference, divided by the largest value.</param>
/// <param name="Milliseconds">Time of one launch, the mean of many queued one after another.</param>
/// <param name="Gigaflops">Billions of operations per second; 0 if memory is the limit.</param>
/// <param name="Gigabytes">The least number of billions of bytes per second that must move.</param>
internal sealed record SelfTestLine(
    string Name, double Error, double Milliseconds, double Gigaflops, double Gigabytes)
{
    /// <summary>Whether it multiplies in the device's precision.</summary>
    public bool IsConvolution { get; init; }

    /// <summary>The error that rounding explains: of the factors in a convolution, elsewhere of sums, or of activations in bf16.</summary>
    public double Allowed(string precision) => (IsConvolution, precision) switch
    {
        (true, "bf16") => 2e-2,
        (true, "tf32") => 3e-3,
        (false, "bf16") => 4e-3,
        _ => 1e-4,
    };
}

/// <summary>
/// Runs every kernel of the contract on a device, compares its result with the op's definition in double precision, and times it. Large
/// results are compared at sampled positions: the first, the last, and random ones.
/// </summary>
/// <param name="device">What is tested; the caller disposes of it.</param>
internal sealed class SelfTest(Device device, IEnumerable<CaseGroup> groups, TimeSpan time)
{
    private const int Places = 4096;

    /// <summary>Tests and times kernel after kernel.</summary>
    public IEnumerable<SelfTestLine> Run()
    {
        foreach (var group in groups)
        {
            var make = new TestTensors(device);
            foreach (var one in group.Make(make)) yield return Test(make, one);
            make.Free();
        }
    }

    /// <summary>Runs once and compares, and only then is timed.</summary>
    private SelfTestLine Test(TestTensors make, KernelCase one)
    {
        one.Run(device.Kernels);
        double error = one.Results.Max(result => Error(result.Expected(), make.Actual(result), one.Tolerance.Least));
        double seconds = Seconds(() => one.Run(device.Kernels));
        return new SelfTestLine(one.Name, error, 1e3 * seconds, one.Flops / seconds / 1e9, one.Bytes / seconds / 1e9)
        { IsConvolution = one.Flops > 0 };
    }

    private double Seconds(Action run) =>
        time == TimeSpan.Zero ? double.PositiveInfinity : new KernelClock(device, time).Seconds(run, rounds: 1)[0];

    /// <summary>max |a − b| / max |b|; NaN is an infinite error.</summary>
    private static double Error(Array4 expected, Array4 actual, double least)
    {
        double largest = Math.Max(least, 1e-30), difference = 0;
        foreach (int i in Sample(actual.Length))
        {
            if (!double.IsFinite(actual.Data[i])) return double.PositiveInfinity;
            largest = Math.Max(largest, Math.Abs(expected.Data[i]));
            difference = Math.Max(difference, Math.Abs(expected.Data[i] - actual.Data[i]));
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
