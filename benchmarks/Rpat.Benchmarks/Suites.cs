using BenchmarkDotNet.Running;

namespace Rpat.Benchmarks;

/// <summary>The kernel suites, run by BenchmarkDotNet with its own options.</summary>
internal static class Suites
{
    public static int Run(string[] args)
    {
        BenchmarkSwitcher.FromAssembly(typeof(Suites).Assembly).Run(args);
        return 0;
    }
}
