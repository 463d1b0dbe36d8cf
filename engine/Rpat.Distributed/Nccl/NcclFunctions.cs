namespace Rpat.Distributed.Nccl;

/// <summary>The id that all ranks of a communicator share (ncclUniqueId), which NCCL takes by value.</summary>
internal unsafe struct NcclId
{
    public const int Length = 128;

    public fixed byte Bytes[Length];
}

/// <summary>
/// The functions of NCCL that a group calls, under their own names (nccl.h 2.28); each returns 0 for success. Tests fill the table with
/// functions of their own.
/// </summary>
internal unsafe struct NcclFunctions
{
    public delegate* unmanaged<int*, int> ncclGetVersion;
    public delegate* unmanaged<NcclId*, int> ncclGetUniqueId;
    public delegate* unmanaged<nint*, int, NcclId, int, int> ncclCommInitRank;
    public delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int> ncclAllReduce;
    public delegate* unmanaged<nint, nuint, int, int, nint, nint, int> ncclSend;
    public delegate* unmanaged<nint, nuint, int, int, nint, nint, int> ncclRecv;
    public delegate* unmanaged<int> ncclGroupStart;
    public delegate* unmanaged<int> ncclGroupEnd;
    public delegate* unmanaged<nint, int*, int> ncclCommGetAsyncError;
    public delegate* unmanaged<nint, int> ncclCommDestroy;
    public delegate* unmanaged<nint, int> ncclCommAbort;
    public delegate* unmanaged<int, byte*> ncclGetErrorString;

    /// <summary>Binds the functions of a loaded library.</summary>
    /// <exception cref="EntryPointNotFoundException">It is not NCCL, or older than 2.7.</exception>
    public static NcclFunctions Of(Func<string, nint> symbol) => new()
    {
        ncclGetVersion = (delegate* unmanaged<int*, int>)symbol(nameof(ncclGetVersion)),
        ncclGetUniqueId = (delegate* unmanaged<NcclId*, int>)symbol(nameof(ncclGetUniqueId)),
        ncclCommInitRank = (delegate* unmanaged<nint*, int, NcclId, int, int>)symbol(nameof(ncclCommInitRank)),
        ncclAllReduce = (delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int>)symbol(nameof(ncclAllReduce)),
        ncclSend = (delegate* unmanaged<nint, nuint, int, int, nint, nint, int>)symbol(nameof(ncclSend)),
        ncclRecv = (delegate* unmanaged<nint, nuint, int, int, nint, nint, int>)symbol(nameof(ncclRecv)),
        ncclGroupStart = (delegate* unmanaged<int>)symbol(nameof(ncclGroupStart)),
        ncclGroupEnd = (delegate* unmanaged<int>)symbol(nameof(ncclGroupEnd)),
        ncclCommGetAsyncError = (delegate* unmanaged<nint, int*, int>)symbol(nameof(ncclCommGetAsyncError)),
        ncclCommDestroy = (delegate* unmanaged<nint, int>)symbol(nameof(ncclCommDestroy)),
        ncclCommAbort = (delegate* unmanaged<nint, int>)symbol(nameof(ncclCommAbort)),
        ncclGetErrorString = (delegate* unmanaged<int, byte*>)symbol(nameof(ncclGetErrorString)),
    };
}
