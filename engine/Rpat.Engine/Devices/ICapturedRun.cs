namespace Rpat.Engine.Devices;

/// <summary>What runs each time when recorded work is launched: a tape, of which only the kernels are recorded.</summary>
internal interface ICapturedRun
{
    /// <summary>Whether its nodes are timed one by one, which recorded work cannot be.</summary>
    bool IsProfiled { get; }

    /// <summary>What a run does on the host.</summary>
    void Begin();

    /// <summary>Grows whenever a number has changed that kernels get by value.</summary>
    long Changes();
}
