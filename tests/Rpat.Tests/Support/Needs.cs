using System.Runtime.InteropServices;
using Rpat.Tests.Trainer.Distributed;
using Rpat.Tests.Trainer.Report;
using Rpat.Training.Data;

namespace Rpat.Tests.Support;

/// <summary>What a test needs of the machine that runs it.</summary>
public enum Need
{
    /// <summary>Linux.</summary>
    Linux,

    /// <summary>Signals and shell scripts.</summary>
    Posix,

    /// <summary>See <see cref="Support.PrivateMounts"/>.</summary>
    PrivateMounts,

    /// <summary>A browser that draws pages.</summary>
    Browser,

    /// <summary>A launcher and library of MPI.</summary>
    Mpi,

    /// <summary>Open MPI and MPICH.</summary>
    BothMpis,

    /// <summary>Debian's package of Fashion-MNIST.</summary>
    FashionMnist,

    /// <summary>That NVIDIA's driver is missing.</summary>
    NoDriver,
}

/// <summary>A test that is reported as skipped, with the reason, where its machine lacks what it needs.</summary>
public sealed class FactWithAttribute : FactAttribute
{
    public FactWithAttribute(Need need) => Skip = Needs.Lacking(need);
}

/// <summary>The same of a test with data.</summary>
public sealed class TheoryWithAttribute : TheoryAttribute
{
    public TheoryWithAttribute(Need need) => Skip = Needs.Lacking(need);
}

internal static class Needs
{
    /// <summary>Why this machine cannot run such a test; null where it can.</summary>
    public static string? Lacking(Need need) => need switch
    {
        Need.Linux when !OperatingSystem.IsLinux() => "this is no Linux",
        Need.Posix when OperatingSystem.IsWindows() => "Windows has neither signals nor a shell",
        Need.PrivateMounts when !PrivateMounts.Exist => "the system gives users no mounts of their own",
        Need.Browser when Browser.Path is null => "there is no browser (apt-get install chromium)",
        Need.Mpi when Mpirun.Installed.Count == 0 => "neither Open MPI nor MPICH is installed (apt-get install openmpi-bin mpich)",
        Need.BothMpis when Mpirun.Installed.Count < 2 => "not both of Open MPI and MPICH are installed (apt-get install openmpi-bin mpich)",
        Need.FashionMnist when !Directory.Exists(FashionMnistSet.DebianFolder) =>
            $"{FashionMnistSet.DebianFolder} is not there (apt-get install dataset-fashion-mnist)",
        Need.NoDriver when NativeLibrary.TryLoad("libcuda.so.1", out _) => "the driver itself would answer",
        _ => null,
    };
}
