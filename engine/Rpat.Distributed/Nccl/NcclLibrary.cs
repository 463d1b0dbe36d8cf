namespace Rpat.Distributed.Nccl;

/// <summary>NVIDIA's collective library, loaded.</summary>
public sealed unsafe class NcclLibrary
{
    private const string FileName = "libnccl.so.2";

    // A sum must have the same bits when a run is repeated: one algorithm and protocol whatever the size, and none that adds in the
    // switch, in an order that changes from call to call. A user's own choice stays.
    private static readonly (string Name, string Value)[] _pinned =
        [("NCCL_ALGO", "Ring"), ("NCCL_PROTO", "Simple"), ("NCCL_NVLS_ENABLE", "0")];

    internal NcclLibrary(in NcclFunctions functions) => Functions = functions;

    /// <summary>The version, such as 22809 for 2.28.9.</summary>
    public int Version
    {
        get
        {
            int version = 0;
            Check(Functions.ncclGetVersion(&version), nameof(Functions.ncclGetVersion));
            return version;
        }
    }

    internal NcclFunctions Functions { get; }

    /// <summary>Pins algorithm and protocol, and loads the library.</summary>
    /// <exception cref="HandshakeException">This machine has none.</exception>
    public static NcclLibrary Load()
    {
        if (!NativeLibrary.TryLoad(FileName, out nint handle))
            throw new HandshakeException(
                $"run.transport is nccl and {FileName} cannot be loaded: install NCCL, put its folder on LD_LIBRARY_PATH, or give "
                + "run.transport=auto.");
        foreach (var (name, value) in _pinned) NativeEnvironment.Default(name, value);
        try
        {
            return new NcclLibrary(NcclFunctions.Of(name => NativeLibrary.GetExport(handle, name)));
        }
        catch (EntryPointNotFoundException error)
        {
            throw new HandshakeException($"{FileName} is too old ({error.Message.TrimEnd('.')}): install NCCL 2.7 or later.", error);
        }
    }

    /// <summary>Throws if a call has failed.</summary>
    /// <exception cref="NcclException">It has.</exception>
    internal void Check(int code, string function)
    {
        if (code != 0)
            throw new NcclException(function, Marshal.PtrToStringUTF8((nint)Functions.ncclGetErrorString(code)) ?? $"error {code}");
    }
}

/// <summary>A function of NCCL has failed.</summary>
public sealed class NcclException(string function, string text)
    : Exception($"{function} failed ({text.TrimEnd('.')}): set NCCL_DEBUG=WARN to see why, or give run.transport=auto");
