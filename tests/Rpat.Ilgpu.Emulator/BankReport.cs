namespace Rpat.Ilgpu.Emulator;

/// <summary>How many accesses of warps to shared memory the kernels made, and how many turns more than needed those took.</summary>
public sealed class BankReport
{
    private readonly Dictionary<string, (long Accesses, long Extra)> _kernels = [];

    /// <summary>By kernel.</summary>
    public IReadOnlyDictionary<string, (long Accesses, long Extra)> Kernels => _kernels;

    internal void Add(string kernel, int extra)
    {
        lock (_kernels)
        {
            var (accesses, before) = _kernels.GetValueOrDefault(kernel);
            _kernels[kernel] = (accesses + 1, before + extra);
        }
    }
}
