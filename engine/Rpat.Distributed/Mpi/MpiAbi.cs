namespace Rpat.Distributed.Mpi;

/// <summary>The binary interfaces of MPI libraries, which differ in their handles and constants.</summary>
public enum MpiFamily
{
    /// <summary>The standard ABI of MPI 5.0 (chapter 20).</summary>
    Standard,

    /// <summary>Open MPI up to version 5: handles are addresses of exported symbols.</summary>
    OpenMpi,

    /// <summary>MPICH up to version 4 and its kin (Intel MPI, MVAPICH, Cray MPICH): handles are integers.</summary>
    Mpich,
}

/// <summary>The constants of a family that a group needs.</summary>
/// <param name="World">MPI_COMM_WORLD.</param>
/// <param name="Byte">MPI_BYTE.</param>
/// <param name="ErrorsReturn">MPI_ERRORS_RETURN.</param>
/// <param name="Funneled">MPI_THREAD_FUNNELED.</param>
internal sealed record MpiAbi(MpiFamily Family, nint World, nint Byte, nint ErrorsReturn, int Funneled)
{
    /// <summary>The standard ABI's constants.</summary>
    public static MpiAbi Standard { get; } = new(MpiFamily.Standard, 0x101, 0x247, 0x143, 1024);

    /// <summary>MPICH's constants. A handle is an int, which is passed in the lower half of a register.</summary>
    public static MpiAbi Mpich { get; } = new(MpiFamily.Mpich, 0x4400_0000, 0x4c00_010d, 0x5400_0001, 1);

    /// <summary>Open MPI's constants, which are symbols of the library.</summary>
    public static MpiAbi OpenMpi(Func<string, nint> symbol) =>
        new(MpiFamily.OpenMpi, symbol("ompi_mpi_comm_world"), symbol("ompi_mpi_byte"), symbol("ompi_mpi_errors_return"), 1);

    /// <summary>The family of a library by what MPI_Get_library_version says; null if it is none of these.</summary>
    /// <param name="standard">The version of the standard ABI that the library has by MPI_Abi_get_version; 0 or less for none.</param>
    public static MpiFamily? FamilyOf(string version, int standard)
    {
        if (standard > 0) return MpiFamily.Standard;
        if (version.Contains("Open MPI", StringComparison.OrdinalIgnoreCase)) return MpiFamily.OpenMpi;
        string[] kin = ["MPICH", "Intel(R) MPI", "MVAPICH", "Cray"];
        return kin.Any(name => version.Contains(name, StringComparison.OrdinalIgnoreCase)) ? MpiFamily.Mpich : null;
    }
}
