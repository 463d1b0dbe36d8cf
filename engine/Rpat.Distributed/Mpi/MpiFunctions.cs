namespace Rpat.Distributed.Mpi;

/// <summary>
/// The functions of an MPI library that a group calls, under their own names. All integers are C's int, all handles are as wide as a
/// pointer; each returns 0 for success. Tests fill the table with functions of their own.
/// </summary>
internal unsafe struct MpiFunctions
{
    public delegate* unmanaged<byte*, int*, int> MPI_Get_library_version;
    public delegate* unmanaged<void*, void*, int, int*, int> MPI_Init_thread;
    public delegate* unmanaged<nint, nint, int> MPI_Comm_set_errhandler;
    public delegate* unmanaged<nint, int*, int> MPI_Comm_rank;
    public delegate* unmanaged<nint, int*, int> MPI_Comm_size;
    public delegate* unmanaged<void*, int, nint, int, nint, int> MPI_Bcast;
    public delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> MPI_Allgather;
    public delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int> MPI_Iallgather;
    public delegate* unmanaged<nint*, int*, void*, int> MPI_Test;
    public delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, int> MPI_Allgatherv;
    public delegate* unmanaged<void*, int*, int*, nint, void*, int*, int*, nint, nint, int> MPI_Alltoallv;
    public delegate* unmanaged<int, byte*, int*, int> MPI_Error_string;
    public delegate* unmanaged<int> MPI_Finalize;

    /// <summary>Binds the functions of a loaded library.</summary>
    /// <exception cref="EntryPointNotFoundException">It is no MPI library.</exception>
    public static MpiFunctions Of(Func<string, nint> symbol) => new()
    {
        MPI_Get_library_version = (delegate* unmanaged<byte*, int*, int>)symbol(nameof(MPI_Get_library_version)),
        MPI_Init_thread = (delegate* unmanaged<void*, void*, int, int*, int>)symbol(nameof(MPI_Init_thread)),
        MPI_Comm_set_errhandler = (delegate* unmanaged<nint, nint, int>)symbol(nameof(MPI_Comm_set_errhandler)),
        MPI_Comm_rank = (delegate* unmanaged<nint, int*, int>)symbol(nameof(MPI_Comm_rank)),
        MPI_Comm_size = (delegate* unmanaged<nint, int*, int>)symbol(nameof(MPI_Comm_size)),
        MPI_Bcast = (delegate* unmanaged<void*, int, nint, int, nint, int>)symbol(nameof(MPI_Bcast)),
        MPI_Allgather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)symbol(nameof(MPI_Allgather)),
        MPI_Iallgather =
            (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)symbol(nameof(MPI_Iallgather)),
        MPI_Test = (delegate* unmanaged<nint*, int*, void*, int>)symbol(nameof(MPI_Test)),
        MPI_Allgatherv =
            (delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, int>)symbol(nameof(MPI_Allgatherv)),
        MPI_Alltoallv =
            (delegate* unmanaged<void*, int*, int*, nint, void*, int*, int*, nint, nint, int>)symbol(nameof(MPI_Alltoallv)),
        MPI_Error_string = (delegate* unmanaged<int, byte*, int*, int>)symbol(nameof(MPI_Error_string)),
        MPI_Finalize = (delegate* unmanaged<int>)symbol(nameof(MPI_Finalize)),
    };
}
