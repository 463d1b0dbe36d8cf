namespace Rpat.Ilgpu.Emulator;

/// <summary>How kernels are run, for all launches of the current flow of control.</summary>
public static class Emulation
{
    private static readonly AsyncLocal<int?> s_seed = new();
    private static readonly AsyncLocal<bool> s_portable = new();
    private static readonly AsyncLocal<BankReport?> s_banks = new();

    /// <summary>Groups that run at once.</summary>
    public static int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>The seed of a random order of threads, or null for the order of their numbers.</summary>
    public static int? Seed
    {
        get => s_seed.Value;
        set => s_seed.Value = value;
    }

    /// <summary>Makes <c>CudaAsm.IsSupported</c> false, so that kernels take their branch without inline assembly.</summary>
    public static bool Portable
    {
        get => s_portable.Value;
        set => s_portable.Value = value;
    }

    /// <summary>Takes the bank conflicts of all launches; null, and launches are faster, where nobody wants to know.</summary>
    public static BankReport? Banks
    {
        get => s_banks.Value;
        set => s_banks.Value = value;
    }
}
